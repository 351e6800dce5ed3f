# DDR4 behind AMD's controller. The core runs on a further output of the controller's PLL.
create_bd_intf_port -mode Master -vlnv xilinx.com:interface:ddr4_rtl:1.0 ddr4
create_bd_cell -type ip -vlnv xilinx.com:ip:ddr4:2.2 memory
set_property -dict [list \
  CONFIG.C0.DDR4_AxiSelection {true} \
  CONFIG.C0.DDR4_MemoryType {Components} \
  CONFIG.C0.DDR4_MemoryPart $memory_part \
  CONFIG.C0.DDR4_DataWidth $memory_bits \
  CONFIG.C0.DDR4_TimePeriod $memory_period_ps \
  CONFIG.C0.DDR4_InputClockPeriod $sys_clk_period_ps \
  CONFIG.C0.DDR4_CasLatency {16} \
  CONFIG.C0.DDR4_CasWriteLatency {12} \
  CONFIG.C0.DDR4_DataMask {DM_NO_DBI} \
  CONFIG.C0.DDR4_AxiDataWidth {512} \
  CONFIG.ADDN_UI_CLKOUT1_FREQ_HZ $core_mhz \
] [get_bd_cells memory]
connect_bd_intf_net [get_bd_intf_ports ddr4] [get_bd_intf_pins memory/C0_DDR4]
connect_bd_intf_net [get_bd_intf_ports sys_clk] [get_bd_intf_pins memory/C0_SYS_CLK]
create_bd_cell -type ip -vlnv xilinx.com:ip:util_vector_logic:2.0 memory_restart
set_property -dict {CONFIG.C_OPERATION not CONFIG.C_SIZE 1} [get_bd_cells memory_restart]
connect_bd_net [get_bd_ports pcie_perstn] [get_bd_pins memory_restart/Op1]
connect_bd_net [get_bd_pins memory_restart/Res] [get_bd_pins memory/sys_rst]
create_bd_cell -type ip -vlnv xilinx.com:ip:proc_sys_reset:5.0 memory_reset
connect_bd_net [get_bd_pins memory/c0_ddr4_ui_clk] [get_bd_pins memory_reset/slowest_sync_clk]
connect_bd_net [get_bd_pins memory/c0_ddr4_ui_clk_sync_rst] [get_bd_pins memory_reset/ext_reset_in]
connect_bd_net [get_bd_pins memory_reset/peripheral_aresetn] [get_bd_pins memory/c0_ddr4_aresetn]

set memory_axi memory/C0_DDR4_S_AXI
set memory_clock memory/c0_ddr4_ui_clk
set memory_ready memory/c0_init_calib_complete
set core_clock memory/addn_ui_clkout1
set memory_segments {memory/C0_DDR4_MEMORY_MAP/C0_DDR4_ADDRESS_BLOCK}
