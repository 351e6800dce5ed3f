# Builds a Sterna card:  vivado -mode batch -source build.tcl
#
# Needs, in this folder: settings.tcl (the board), memory.tcl (its memory), sensors.tcl (what measures
# its power), rtl/ (the core, and sterna_card.v around it), pins.xdc. Written for Vivado 2022.2 to 2024.2; nobody has run it yet.
#
#   PCIe --> xdma -- M_AXI -------> memory_bus --> memory
#             | \                      ^
#             |  M_AXI_LITE            | m_axi
#             |      \                 |
#        usr_irq_req  register_bus --> core
#
# The host and the core see the memory at 0, the host the core's registers at 0 of the user BAR.
source settings.tcl
puts "Written for Vivado 2022.2 to 2024.2; this is [version -short]."

create_project -force card project -part $part
set_property target_language Verilog [current_project]
add_files -norecurse [glob rtl/*.v]
add_files -fileset constrs_1 -norecurse pins.xdc
update_compile_order -fileset sources_1
create_bd_design card

# ----- ports -----
create_bd_intf_port -mode Slave -vlnv xilinx.com:interface:diff_clock_rtl:1.0 pcie_refclk
create_bd_intf_port -mode Master -vlnv xilinx.com:interface:pcie_7x_mgt_rtl:1.0 pcie_mgt
create_bd_port -dir I -type rst pcie_perstn
set_property CONFIG.POLARITY ACTIVE_LOW [get_bd_ports pcie_perstn]
create_bd_intf_port -mode Slave -vlnv xilinx.com:interface:diff_clock_rtl:1.0 sys_clk
set_property CONFIG.FREQ_HZ $sys_clk_hz [get_bd_intf_ports sys_clk]
foreach port $low_ports {
  create_bd_port -dir O $port
  create_bd_cell -type ip -vlnv xilinx.com:ip:xlconstant:1.1 ${port}_low
  set_property CONFIG.CONST_VAL 0 [get_bd_cells ${port}_low]
  connect_bd_net [get_bd_pins ${port}_low/dout] [get_bd_ports $port]
}

# ----- PCIe -----
create_bd_cell -type ip -vlnv xilinx.com:ip:util_ds_buf:2.2 pcie_buffer
set_property CONFIG.C_BUF_TYPE IBUFDSGTE [get_bd_cells pcie_buffer]
connect_bd_intf_net [get_bd_intf_ports pcie_refclk] [get_bd_intf_pins pcie_buffer/CLK_IN_D]
create_bd_cell -type ip -vlnv xilinx.com:ip:xdma:4.1 xdma
set_property -dict [list \
  CONFIG.xdma_axi_intf_mm {AXI_Memory_Mapped} \
  CONFIG.pl_link_cap_max_link_width X$pcie_lanes \
  CONFIG.pl_link_cap_max_link_speed $pcie_speed \
  CONFIG.axi_data_width ${xdma_bits}_bit \
  CONFIG.axisten_freq $xdma_mhz \
  CONFIG.xdma_rnum_chnl {4} \
  CONFIG.xdma_wnum_chnl {4} \
  CONFIG.xdma_num_usr_irq {1} \
  CONFIG.axilite_master_en {true} \
  CONFIG.axilite_master_scale {Kilobytes} \
  CONFIG.axilite_master_size $user_kib \
  CONFIG.pciebar2axibar_axil_master {0x00000000} \
] [get_bd_cells xdma]
connect_bd_intf_net [get_bd_intf_pins xdma/pcie_mgt] [get_bd_intf_ports pcie_mgt]
connect_bd_net [get_bd_ports pcie_perstn] [get_bd_pins xdma/sys_rst_n]
if {$series eq "7"} {
  connect_bd_net [get_bd_pins pcie_buffer/IBUF_OUT] [get_bd_pins xdma/sys_clk]
} else {
  connect_bd_net [get_bd_pins pcie_buffer/IBUF_DS_ODIV2] [get_bd_pins xdma/sys_clk]
  connect_bd_net [get_bd_pins pcie_buffer/IBUF_OUT] [get_bd_pins xdma/sys_clk_gt]
}

# ----- memory: the cell `memory`, and these names for its pins -----
#   memory_axi, memory_clock, memory_ready, core_clock, memory_segments
source memory.tcl

# ----- core -----
create_bd_cell -type module -reference sterna_card core
create_bd_cell -type ip -vlnv xilinx.com:ip:proc_sys_reset:5.0 core_reset
connect_bd_net [get_bd_pins $core_clock] [get_bd_pins core_reset/slowest_sync_clk]
connect_bd_net [get_bd_ports pcie_perstn] [get_bd_pins core_reset/ext_reset_in]
connect_bd_net [get_bd_pins $memory_ready] [get_bd_pins core_reset/dcm_locked]
connect_bd_net [get_bd_pins $core_clock] [get_bd_pins core/aclk]
connect_bd_net [get_bd_pins core_reset/peripheral_aresetn] [get_bd_pins core/aresetn]
connect_bd_net [get_bd_pins core/irq] [get_bd_pins xdma/usr_irq_req]

# ----- buses; SmartConnect crosses the clocks -----
create_bd_cell -type ip -vlnv xilinx.com:ip:smartconnect:1.0 memory_bus
set_property -dict {CONFIG.NUM_SI 2 CONFIG.NUM_MI 1 CONFIG.NUM_CLKS 3} [get_bd_cells memory_bus]
connect_bd_intf_net [get_bd_intf_pins core/m_axi] [get_bd_intf_pins memory_bus/S00_AXI]
connect_bd_intf_net [get_bd_intf_pins xdma/M_AXI] [get_bd_intf_pins memory_bus/S01_AXI]
connect_bd_intf_net [get_bd_intf_pins memory_bus/M00_AXI] [get_bd_intf_pins $memory_axi]
connect_bd_net [get_bd_pins $core_clock] [get_bd_pins memory_bus/aclk]
connect_bd_net [get_bd_pins $memory_clock] [get_bd_pins memory_bus/aclk1]
connect_bd_net [get_bd_pins xdma/axi_aclk] [get_bd_pins memory_bus/aclk2]
connect_bd_net [get_bd_pins core_reset/peripheral_aresetn] [get_bd_pins memory_bus/aresetn]
create_bd_cell -type ip -vlnv xilinx.com:ip:smartconnect:1.0 register_bus
set_property -dict {CONFIG.NUM_SI 1 CONFIG.NUM_MI 1 CONFIG.NUM_CLKS 2} [get_bd_cells register_bus]
connect_bd_intf_net [get_bd_intf_pins xdma/M_AXI_LITE] [get_bd_intf_pins register_bus/S00_AXI]
connect_bd_intf_net [get_bd_intf_pins register_bus/M00_AXI] [get_bd_intf_pins core/s_axi]
connect_bd_net [get_bd_pins xdma/axi_aclk] [get_bd_pins register_bus/aclk]
connect_bd_net [get_bd_pins $core_clock] [get_bd_pins register_bus/aclk1]
connect_bd_net [get_bd_pins xdma/axi_aresetn] [get_bd_pins register_bus/aresetn]

# ----- addresses: as the driver has them -----
set offset 0
set share [expr {$memory_bytes / [llength $memory_segments]}]
foreach segment $memory_segments {
  foreach space {core/m_axi xdma/M_AXI} {
    assign_bd_address -force -offset $offset -range $share \
      -target_address_space [get_bd_addr_spaces $space] [get_bd_addr_segs $segment]
  }
  incr offset $share
}
assign_bd_address -force -offset 0x0 -range $register_bytes \
  -target_address_space [get_bd_addr_spaces xdma/M_AXI_LITE] [get_bd_addr_segs core/s_axi/reg0]

# ----- sensors of power, if the board has some that the design has to serve -----
source sensors.tcl

validate_bd_design
save_bd_design
set wrapper [make_wrapper -files [get_files card.bd] -top]
add_files -norecurse $wrapper
set_property top card_wrapper [current_fileset]

# ----- build -----
set_property strategy Performance_ExplorePostRoutePhysOpt [get_runs impl_1]
launch_runs impl_1 -to_step write_bitstream -jobs $jobs
wait_on_run impl_1
if {[get_property PROGRESS [get_runs impl_1]] ne "100%"} {
  error "implementation ended early; see project/card.runs/impl_1/runme.log"
}
open_run impl_1
report_timing_summary -file timing.rpt
report_utilization -hierarchical -file utilisation.rpt
report_power -file power.rpt
set slack [get_property SLACK [get_timing_paths -setup -max_paths 1]]
set file [open slack.txt w]
puts $file $slack
close $file
set file [open version.txt w]
puts $file "Vivado [version -short]"
close $file
file copy -force project/card.runs/impl_1/card_wrapper.bit packed.bit
write_cfgmem -force -format mcs -interface $flash_interface -size $flash_megabytes \
  -loadbit "up $flash_offset packed.bit" -file packed.mcs
