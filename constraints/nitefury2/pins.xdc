# RHS Research NiteFury II, XC7A200T-2FBG484.
# Pins checked against normal.xdc and uEVB-early.xdc of Sample-Projects/Project-0 in
# github.com/RHSResearchLLC/NiteFury-and-LiteFury (commits 556d6ec, d36aba8). Those of the memory
# are in mig.prj.

# PCIe: the lanes are crossed on the board, so the places of the transceivers are overruled.
set_property LOC GTPE2_CHANNEL_X0Y7 [get_cells -hierarchical -filter {NAME =~ *pipe_lane[3].gt_wrapper_i/gtp_channel.gtpe2_channel_i}]
set_property PACKAGE_PIN B10 [get_ports {pcie_mgt_rxp[0]}]
set_property PACKAGE_PIN A10 [get_ports {pcie_mgt_rxn[0]}]
set_property PACKAGE_PIN B6 [get_ports {pcie_mgt_txp[0]}]
set_property PACKAGE_PIN A6 [get_ports {pcie_mgt_txn[0]}]
set_property LOC GTPE2_CHANNEL_X0Y6 [get_cells -hierarchical -filter {NAME =~ *pipe_lane[0].gt_wrapper_i/gtp_channel.gtpe2_channel_i}]
set_property PACKAGE_PIN B8 [get_ports {pcie_mgt_rxp[1]}]
set_property PACKAGE_PIN A8 [get_ports {pcie_mgt_rxn[1]}]
set_property PACKAGE_PIN B4 [get_ports {pcie_mgt_txp[1]}]
set_property PACKAGE_PIN A4 [get_ports {pcie_mgt_txn[1]}]
set_property LOC GTPE2_CHANNEL_X0Y5 [get_cells -hierarchical -filter {NAME =~ *pipe_lane[2].gt_wrapper_i/gtp_channel.gtpe2_channel_i}]
set_property PACKAGE_PIN D11 [get_ports {pcie_mgt_rxp[2]}]
set_property PACKAGE_PIN C11 [get_ports {pcie_mgt_rxn[2]}]
set_property PACKAGE_PIN D5 [get_ports {pcie_mgt_txp[2]}]
set_property PACKAGE_PIN C5 [get_ports {pcie_mgt_txn[2]}]
set_property LOC GTPE2_CHANNEL_X0Y4 [get_cells -hierarchical -filter {NAME =~ *pipe_lane[1].gt_wrapper_i/gtp_channel.gtpe2_channel_i}]
set_property PACKAGE_PIN D9 [get_ports {pcie_mgt_rxp[3]}]
set_property PACKAGE_PIN C9 [get_ports {pcie_mgt_rxn[3]}]
set_property PACKAGE_PIN D7 [get_ports {pcie_mgt_txp[3]}]
set_property PACKAGE_PIN C7 [get_ports {pcie_mgt_txn[3]}]
set_property PACKAGE_PIN F6 [get_ports {pcie_refclk_clk_p}]
set_property PACKAGE_PIN E6 [get_ports {pcie_refclk_clk_n}]
create_clock -name pcie_refclk -period 10.000 [get_ports {pcie_refclk_clk_p}]
set_property PACKAGE_PIN J1 [get_ports {pcie_perstn}]
set_property IOSTANDARD LVCMOS33 [get_ports {pcie_perstn}]
set_property PULLUP true [get_ports {pcie_perstn}]
set_false_path -from [get_ports {pcie_perstn}]
set_property PACKAGE_PIN G1 [get_ports {pcie_clkreq_n}]
set_property IOSTANDARD LVCMOS33 [get_ports {pcie_clkreq_n}]

# Memory's clock, 200 MHz; its place is in mig.prj.
set_property IOSTANDARD LVDS_25 [get_ports {sys_clk_clk_p}]
set_property IOSTANDARD LVDS_25 [get_ports {sys_clk_clk_n}]

# Configuration: wide and fast, to be there when the host looks at the slot.
set_property CFGBVS VCCO [current_design]
set_property CONFIG_VOLTAGE 3.3 [current_design]
set_property CONFIG_MODE SPIx4 [current_design]
set_property BITSTREAM.GENERAL.COMPRESS TRUE [current_design]
set_property BITSTREAM.CONFIG.EXTMASTERCCLK_EN DIV-1 [current_design]
set_property BITSTREAM.CONFIG.OVERTEMPPOWERDOWN ENABLE [current_design]
set_property BITSTREAM.CONFIG.SPI_BUSWIDTH 4 [current_design]
set_property BITSTREAM.CONFIG.SPI_FALL_EDGE YES [current_design]
