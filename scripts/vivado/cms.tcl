# AMD's card management (PG348): it asks the card's satellite controller for volts and amperes, and
# shows them in 256 KiB at 0x40000 of the user BAR, where `sterna power` reads them. For a card with
# HBM, whose temperatures it takes as well.
create_bd_cell -type ip -vlnv xilinx.com:ip:clk_wiz:6.0 cms_clocks
set_property -dict [list \
  CONFIG.PRIM_SOURCE {No_buffer} \
  CONFIG.PRIM_IN_FREQ $xdma_mhz \
  CONFIG.CLKOUT1_REQUESTED_OUT_FREQ {50} \
  CONFIG.USE_RESET {false} \
] [get_bd_cells cms_clocks]
connect_bd_net [get_bd_pins xdma/axi_aclk] [get_bd_pins cms_clocks/clk_in1]
create_bd_cell -type ip -vlnv xilinx.com:ip:proc_sys_reset:5.0 cms_reset
connect_bd_net [get_bd_pins cms_clocks/clk_out1] [get_bd_pins cms_reset/slowest_sync_clk]
connect_bd_net [get_bd_pins xdma/axi_aresetn] [get_bd_pins cms_reset/ext_reset_in]
connect_bd_net [get_bd_pins cms_clocks/locked] [get_bd_pins cms_reset/dcm_locked]

create_bd_cell -type ip -vlnv xilinx.com:ip:cms_subsystem:4.0 cms
connect_bd_net [get_bd_pins cms_clocks/clk_out1] [get_bd_pins cms/aclk_ctrl]
connect_bd_net [get_bd_pins cms_reset/peripheral_aresetn] [get_bd_pins cms/aresetn_ctrl]
set_property -dict {CONFIG.NUM_MI 2 CONFIG.NUM_CLKS 3} [get_bd_cells register_bus]
connect_bd_net [get_bd_pins cms_clocks/clk_out1] [get_bd_pins register_bus/aclk2]
connect_bd_intf_net [get_bd_intf_pins register_bus/M01_AXI] [get_bd_intf_pins cms/s_axi_ctrl]
assign_bd_address -force -offset 0x40000 -range 0x40000 \
  -target_address_space [get_bd_addr_spaces xdma/M_AXI_LITE] [get_bd_addr_segs cms/s_axi_ctrl/Mem0]

create_bd_intf_port -mode Master -vlnv xilinx.com:interface:uart_rtl:1.0 satellite_uart
connect_bd_intf_net [get_bd_intf_pins cms/satellite_uart] [get_bd_intf_ports satellite_uart]
create_bd_port -dir I -from 3 -to 0 -type intr satellite_gpio
set_property CONFIG.SENSITIVITY [get_property CONFIG.SENSITIVITY [get_bd_pins cms/satellite_gpio]] \
  [get_bd_ports satellite_gpio]
connect_bd_net [get_bd_ports satellite_gpio] [get_bd_pins cms/satellite_gpio]
connect_bd_net [get_bd_pins memory/DRAM_0_STAT_TEMP] [get_bd_pins cms/hbm_temp_1]
connect_bd_net [get_bd_pins memory/DRAM_1_STAT_TEMP] [get_bd_pins cms/hbm_temp_2]
connect_bd_net [get_bd_pins cattrip/Res] [get_bd_pins cms/interrupt_hbm_cattrip]
