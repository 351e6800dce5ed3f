# DDR3 behind MIG for series 7; mig.prj has pins and times. The core runs on the controller's clock.
create_bd_intf_port -mode Master -vlnv xilinx.com:interface:ddrx_rtl:1.0 ddr3
create_bd_cell -type ip -vlnv xilinx.com:ip:mig_7series:4.2 memory
set folder [get_property IP_DIR [get_ips [get_property CONFIG.Component_Name [get_bd_cells memory]]]]
file copy -force mig.prj $folder/mig_a.prj
set_property -dict [list \
  CONFIG.BOARD_MIG_PARAM {Custom} \
  CONFIG.MIG_DONT_TOUCH_PARAM {Custom} \
  CONFIG.RESET_BOARD_INTERFACE {Custom} \
  CONFIG.XML_INPUT_FILE {mig_a.prj} \
] [get_bd_cells memory]
connect_bd_intf_net [get_bd_intf_ports ddr3] [get_bd_intf_pins memory/DDR3]
connect_bd_intf_net [get_bd_intf_ports sys_clk] [get_bd_intf_pins memory/SYS_CLK]
connect_bd_net [get_bd_ports pcie_perstn] [get_bd_pins memory/sys_rst]
create_bd_cell -type ip -vlnv xilinx.com:ip:proc_sys_reset:5.0 memory_reset
connect_bd_net [get_bd_pins memory/ui_clk] [get_bd_pins memory_reset/slowest_sync_clk]
connect_bd_net [get_bd_pins memory/ui_clk_sync_rst] [get_bd_pins memory_reset/ext_reset_in]
connect_bd_net [get_bd_pins memory/mmcm_locked] [get_bd_pins memory_reset/dcm_locked]
connect_bd_net [get_bd_pins memory_reset/peripheral_aresetn] [get_bd_pins memory/aresetn]

set memory_axi memory/S_AXI
set memory_clock memory/ui_clk
set memory_ready memory/init_calib_complete
set core_clock memory/ui_clk
set memory_segments {memory/memmap/memaddr}
