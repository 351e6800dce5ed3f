# HBM2, both stacks, through one of its AXI ports and its own switch. A PLL makes the core's clock,
# the port's (450 MHz) and the reference.
create_bd_cell -type ip -vlnv xilinx.com:ip:clk_wiz:6.0 clocks
set_property -dict [list \
  CONFIG.PRIM_SOURCE {Differential_clock_capable_pin} \
  CONFIG.PRIM_IN_FREQ [expr {$sys_clk_hz / 1000000}] \
  CONFIG.NUM_OUT_CLKS {3} \
  CONFIG.CLKOUT2_USED {true} \
  CONFIG.CLKOUT3_USED {true} \
  CONFIG.CLKOUT1_REQUESTED_OUT_FREQ $core_mhz \
  CONFIG.CLKOUT2_REQUESTED_OUT_FREQ {450} \
  CONFIG.CLKOUT3_REQUESTED_OUT_FREQ {100} \
  CONFIG.USE_RESET {false} \
] [get_bd_cells clocks]
connect_bd_intf_net [get_bd_intf_ports sys_clk] [get_bd_intf_pins clocks/CLK_IN1_D]
create_bd_cell -type ip -vlnv xilinx.com:ip:hbm:1.0 memory
set_property -dict [list \
  CONFIG.USER_HBM_DENSITY {8GB} \
  CONFIG.USER_HBM_STACK {2} \
  CONFIG.USER_SWITCH_ENABLE_00 {TRUE} \
  CONFIG.USER_SWITCH_ENABLE_01 {TRUE} \
  CONFIG.USER_AXI_CLK_FREQ {450} \
  CONFIG.USER_AXI_INPUT_CLK_FREQ {450} \
] [get_bd_cells memory]
# One AXI port is left open; the others are off.
for {set port 1} {$port < 32} {incr port} {
  set_property CONFIG.USER_SAXI_[format %02d $port] {false} [get_bd_cells memory]
}
foreach {output name} {clk_out2 axi clk_out3 apb} {
  create_bd_cell -type ip -vlnv xilinx.com:ip:proc_sys_reset:5.0 ${name}_reset
  connect_bd_net [get_bd_pins clocks/$output] [get_bd_pins ${name}_reset/slowest_sync_clk]
  connect_bd_net [get_bd_ports pcie_perstn] [get_bd_pins ${name}_reset/ext_reset_in]
  connect_bd_net [get_bd_pins clocks/locked] [get_bd_pins ${name}_reset/dcm_locked]
}
connect_bd_net [get_bd_pins clocks/clk_out3] \
  [get_bd_pins memory/HBM_REF_CLK_0] [get_bd_pins memory/HBM_REF_CLK_1] \
  [get_bd_pins memory/APB_0_PCLK] [get_bd_pins memory/APB_1_PCLK]
connect_bd_net [get_bd_pins apb_reset/peripheral_aresetn] \
  [get_bd_pins memory/APB_0_PRESET_N] [get_bd_pins memory/APB_1_PRESET_N]
connect_bd_net [get_bd_pins clocks/clk_out2] [get_bd_pins memory/AXI_00_ACLK]
connect_bd_net [get_bd_pins axi_reset/peripheral_aresetn] [get_bd_pins memory/AXI_00_ARESET_N]
# Too hot in either stack: the card has to know.
create_bd_port -dir O hbm_cattrip
create_bd_cell -type ip -vlnv xilinx.com:ip:util_vector_logic:2.0 cattrip
set_property -dict {CONFIG.C_OPERATION or CONFIG.C_SIZE 1} [get_bd_cells cattrip]
connect_bd_net [get_bd_pins memory/DRAM_0_STAT_CATTRIP] [get_bd_pins cattrip/Op1]
connect_bd_net [get_bd_pins memory/DRAM_1_STAT_CATTRIP] [get_bd_pins cattrip/Op2]
connect_bd_net [get_bd_pins cattrip/Res] [get_bd_ports hbm_cattrip]
create_bd_cell -type ip -vlnv xilinx.com:ip:util_vector_logic:2.0 calibrated
set_property -dict {CONFIG.C_OPERATION and CONFIG.C_SIZE 1} [get_bd_cells calibrated]
connect_bd_net [get_bd_pins memory/apb_complete_0] [get_bd_pins calibrated/Op1]
connect_bd_net [get_bd_pins memory/apb_complete_1] [get_bd_pins calibrated/Op2]

set memory_axi memory/SAXI_00
set memory_clock clocks/clk_out2
set memory_ready calibrated/Res
set core_clock clocks/clk_out1
set memory_segments {}
for {set part 0} {$part < 32} {incr part} {
  lappend memory_segments memory/SAXI_00/HBM_MEM[format %02d $part]
}
