# AMD Alveo U280, XCU280-FSVH2892-2L-E.
# Pins checked against AMD's alveo-u280-xdc, as the published constraints of the verilog-ethernet
# project for the U280 (fpga.xdc, part xcu280-fsvh2892-2L-e) repeat it: refclk 1, reset, HBM's clock,
# CATTRIP. The satellite controller's by the published constraints of BSC's fpga-shell
# (cms_u280.xdc). The lanes of PCIe are where Vivado puts them beside the reference clock.

# PCIe
set_property PACKAGE_PIN AR15 [get_ports {pcie_refclk_clk_p}]
set_property PACKAGE_PIN AR14 [get_ports {pcie_refclk_clk_n}]
create_clock -name pcie_refclk -period 10.000 [get_ports {pcie_refclk_clk_p}]
set_property PACKAGE_PIN BH26 [get_ports {pcie_perstn}]
set_property IOSTANDARD LVCMOS18 [get_ports {pcie_perstn}]
set_property PULLUP true [get_ports {pcie_perstn}]
set_false_path -from [get_ports {pcie_perstn}]

# 100 MHz for the HBM and the core's PLL
set_property PACKAGE_PIN BJ43 [get_ports {sys_clk_clk_p}]
set_property PACKAGE_PIN BJ44 [get_ports {sys_clk_clk_n}]
set_property IOSTANDARD LVDS [get_ports {sys_clk_clk_p}]
set_property IOSTANDARD LVDS [get_ports {sys_clk_clk_n}]
create_clock -name sys_clk -period 10.000 [get_ports {sys_clk_clk_p}]

# A one here cuts the card's power: it is what the HBM says of its temperature, and never left open.
set_property PACKAGE_PIN D32 [get_ports {hbm_cattrip}]
set_property IOSTANDARD LVCMOS18 [get_ports {hbm_cattrip}]
set_property PULLDOWN true [get_ports {hbm_cattrip}]
set_false_path -to [get_ports {hbm_cattrip}]

# Satellite controller, for the CMS
set_property PACKAGE_PIN E28 [get_ports {satellite_uart_rxd}]
set_property PACKAGE_PIN D29 [get_ports {satellite_uart_txd}]
set_property PACKAGE_PIN K28 [get_ports {satellite_gpio[0]}]
set_property PACKAGE_PIN J29 [get_ports {satellite_gpio[1]}]
set_property PACKAGE_PIN K29 [get_ports {satellite_gpio[2]}]
set_property PACKAGE_PIN J31 [get_ports {satellite_gpio[3]}]
set_property IOSTANDARD LVCMOS18 [get_ports {satellite_uart_rxd}]
set_property IOSTANDARD LVCMOS18 [get_ports {satellite_uart_txd}]
set_property DRIVE 4 [get_ports {satellite_uart_txd}]
set_property IOSTANDARD LVCMOS18 [get_ports {satellite_gpio[0]}]
set_property IOSTANDARD LVCMOS18 [get_ports {satellite_gpio[1]}]
set_property IOSTANDARD LVCMOS18 [get_ports {satellite_gpio[2]}]
set_property IOSTANDARD LVCMOS18 [get_ports {satellite_gpio[3]}]

# Configuration
set_property CFGBVS GND [current_design]
set_property CONFIG_VOLTAGE 1.8 [current_design]
set_property CONFIG_MODE SPIx4 [current_design]
set_property BITSTREAM.GENERAL.COMPRESS TRUE [current_design]
set_property BITSTREAM.CONFIG.CONFIGFALLBACK ENABLE [current_design]
set_property BITSTREAM.CONFIG.CONFIGRATE 85.0 [current_design]
set_property BITSTREAM.CONFIG.EXTMASTERCCLK_EN DISABLE [current_design]
set_property BITSTREAM.CONFIG.SPI_32BIT_ADDR YES [current_design]
set_property BITSTREAM.CONFIG.SPI_BUSWIDTH 4 [current_design]
set_property BITSTREAM.CONFIG.SPI_FALL_EDGE YES [current_design]
set_property BITSTREAM.CONFIG.UNUSEDPIN PULLUP [current_design]
set_operating_conditions -design_power_budget 160
