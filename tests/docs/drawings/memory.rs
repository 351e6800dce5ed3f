//! Around the core: its orders, its memory, a card, a small board.

use sterna_hdl::core::Control;
use sterna_hdl::link::protocol::{BACKLOG, PAYLOAD};
use sterna_rtl::parts::{ReadMaster, WriteMaster};

use super::Cells;
use crate::sketch::{Kind, Sketch};

pub fn all(cells: &Cells) -> Vec<Sketch> {
    vec![control(cells), port(cells), card(), small_board()]
}

fn control(cells: &Cells) -> Sketch {
    use Kind::{Computes, Holds, Moves, Outside};
    let mut s = Sketch::new("control", "Registers, control, engine", 320.0);
    s.part("host", Outside, (20.0, 60.0, 120.0), "host", &["AXI4-Lite", "32 bits"]);
    s.part(
        "registers",
        Holds,
        (200.0, 60.0, 170.0),
        "registers",
        &["one table makes them,", "the driver's names,", "the manual"],
    );
    s.part(
        "control",
        Moves,
        (450.0, 60.0, 170.0),
        "control",
        &["checks a command,", "runs pass after pass,", "stops at faults"],
    );
    s.part(
        "engine",
        Computes,
        (710.0, 60.0, 170.0),
        "engine",
        &["all units and memories", "of a pass; alone reset", "after a fault"],
    );
    s.part(
        "counters",
        Holds,
        (200.0, 200.0, 170.0),
        "counters",
        &["48 bits: cycles = beats", "+ starved + blocked + idle"],
    );
    s.part(
        "drain",
        Moves,
        (450.0, 200.0, 170.0),
        "drain",
        &["nothing asked for, all", "that was asked arrives"],
    );
    s.part(
        "probe",
        Outside,
        (740.0, 200.0, 140.0),
        "probe",
        &["every vector, for", "a simulation"],
    );
    s.wire("host.r", "registers.l", "");
    s.wire("registers.r-15", "control.l-15", "command");
    s.wire("control.l+20", "registers.r+20", "status");
    s.wire("control.r-15", "engine.l-15", "token");
    s.wire("engine.l+20", "control.r+20", "best, fault");
    s.wire_by("control.b-55", &[(480.0, 170.0), (410.0, 170.0), (410.0, 230.0)], "counters.r", "");
    s.wire("counters.t", "registers.b", "");
    s.wire("control.b+30", "drain.t+30", "fault");
    s.wire_by("drain.r", &[(720.0, 230.0)], "engine.b-75", "");
    s.note((628.0, 245.0), "clear, once the");
    s.note((628.0, 259.0), "bus is at rest");
    s.wire("engine.b+40", "probe.t+25", "");
    s.wire_by("control.t", &[(535.0, 45.0), (80.0, 45.0)], "host.t", "irq");
    let cost = cells.of(&["control"]);
    s.note((20.0, 285.0), &format!("From the best token to the last clock of the pass: {} clocks. No host between two passes of a run.", Control::LAST));
    s.note(
        (20.0, 302.0),
        &format!("Control: {cost}. Registers: {}.", cells.of(&["sterna_registers"])),
    );
    s
}

fn port(cells: &Cells) -> Sketch {
    use Kind::{Holds, Moves, Outside};
    let mut s = Sketch::new("memory-port", "Memory port: three masters, one AXI4 port", 382.0);
    s.part(
        "image",
        Moves,
        (240.0, 60.0, 180.0),
        "read master 0: image",
        &["start to end, as far", "ahead as there is place"],
    );
    s.part(
        "rows",
        Moves,
        (240.0, 160.0, 180.0),
        "read master 1: rows",
        &["embedding rows,", "saved states"],
    );
    s.part(
        "results",
        Moves,
        (240.0, 260.0, 180.0),
        "write master",
        &["records, logits,", "states"],
    );
    s.part("prefetch", Holds, (60.0, 60.0, 120.0), "FIFO", &["512 beats, or", "16 KiB if fewer"]);
    s.part("buffer", Holds, (60.0, 160.0, 120.0), "FIFO", &["of a burst or more"]);
    s.part("out", Holds, (60.0, 260.0, 120.0), "FIFO", &[&format!("{} beats", WriteMaster::DEPTH)]);
    s.part("mux", Moves, (520.0, 110.0, 130.0), "read mux", &["IDs 0 and 1;", "rows go first"]);
    s.part("memory", Outside, (750.0, 160.0, 130.0), "memory", &["AXI4, 40 bits", "of address"]);
    s.wire("image.l", "prefetch.r", "");
    s.wire("rows.l", "buffer.r", "");
    s.wire("out.r", "results.l", "");
    s.wire("image.r", "mux.l-10", "ar, r");
    s.wire("rows.r", "mux.l+20", "ar, r");
    s.wire("mux.r", "memory.l-10", "ar, r");
    s.wire("results.r", "memory.b", "aw, w, b");
    s.note((520.0, 215.0), &format!("start to first address {} clocks,", ReadMaster::START));
    s.note((520.0, 230.0), &format!("a burst every {} clocks", ReadMaster::PLAN));
    s.note(
        (440.0, 305.0),
        &format!("bursts of {}: begun when the FIFO has all of it", WriteMaster::BURST),
    );
    s.note((20.0, 355.0), "A burst is asked for only when its FIFO has room for all of it.");
    let [readers, writer] = ["read_master", "write_master"].map(|name| cells.of(&[name]));
    s.note((20.0, 371.0), &format!("Without FIFOs: readers {readers}; writer {writer}."));
    s
}

fn card() -> Sketch {
    use Kind::{Computes, Holds, Moves, Outside};
    let mut s = Sketch::new("card", "A PCIe card: the same core behind AMD's XDMA", 330.0);
    s.part("command", Moves, (20.0, 60.0, 130.0), "sterna", &["Device: passes", "and states"]);
    s.part(
        "driver",
        Moves,
        (200.0, 60.0, 150.0),
        "driver of a card",
        &["identity, load, runs,", "seats of sequences"],
    );
    s.part("xdma", Moves, (400.0, 60.0, 140.0), "sterna-xdma", &["pread, pwrite,", "mmap, poll"]);
    s.part("nodes", Outside, (590.0, 60.0, 130.0), "/dev/xdma0_*", &["h2c c2h user", "events"]);
    s.part("bridge", Outside, (770.0, 60.0, 110.0), "XDMA", &["PCIe in the", "FPGA"]);
    for (from, to) in
        [("command", "driver"), ("driver", "xdma"), ("xdma", "nodes"), ("nodes", "bridge")]
    {
        s.wire(&format!("{from}.r"), &format!("{to}.l"), "");
    }
    s.part(
        "label",
        Holds,
        (20.0, 190.0, 180.0),
        "the card's memory",
        &["label, image, rows,", "states, records"],
    );
    s.part("core", Computes, (590.0, 190.0, 130.0), "core", &["registers at 0", "of the user BAR"]);
    s.part("memory", Outside, (400.0, 190.0, 140.0), "memory controller", &["DDR3, DDR4, HBM"]);
    s.wire("bridge.b+30", "core.r", "");
    s.note((730.0, 212.0), "M_AXI_LITE");
    s.wire_by(
        "bridge.b-30",
        &[(795.0, 155.0), (500.0, 155.0)],
        "memory.t+30",
        "M_AXI: memory at 0",
    );
    s.wire("core.l", "memory.r", "");
    s.wire("memory.l", "label.r", "");
    s.part(
        "fake",
        Outside,
        (200.0, 275.0, 360.0),
        "fake card",
        &["the same nodes through FUSE; golden or the Verilog behind"],
    );
    s.wire_by("fake.r", &[(575.0, 298.0), (575.0, 135.0), (600.0, 135.0)], "nodes.b-55", "");
    s
}

fn small_board() -> Sketch {
    use Kind::{Computes, Holds, Moves, Outside};
    let mut s = Sketch::new("small-board", "A small board: serial link, SDRAM controller", 330.0);
    s.part("host", Outside, (20.0, 60.0, 120.0), "host", &["SerialLink,", "3 Mbaud, 8N1"]);
    s.part(
        "link",
        Moves,
        (200.0, 60.0, 180.0),
        "HostLink",
        &[
            "frames with CRC-32C,",
            &format!("up to {PAYLOAD} bytes,"),
            &format!("{BACKLOG} bytes may wait"),
        ],
    );
    s.part(
        "core",
        Computes,
        (470.0, 60.0, 150.0),
        "core",
        &["bus of 64 bits", "one clock for all"],
    );
    s.part("mux", Moves, (470.0, 180.0, 150.0), "AxiMux", &["burst by burst"]);
    s.part(
        "controller",
        Moves,
        (680.0, 165.0, 200.0),
        "SdramController",
        &["a beat is one command;", "4 banks open, the next row", "opened meanwhile"],
    );
    s.part(
        "block",
        Holds,
        (200.0, 180.0, 180.0),
        "or BlockMemory",
        &["block RAM: a model", "from power-up"],
    );
    s.part("chip", Outside, (680.0, 265.0, 200.0), "SDRAM chip", &["16 or 32 bits"]);
    s.wire("host.r-15", "link.l-15", "rx");
    s.wire("link.l+20", "host.r+20", "tx");
    s.wire("link.r", "core.l", "m_lite");
    s.wire_by("link.b+60", &[(350.0, 160.0), (510.0, 160.0)], "mux.t-35", "m_axi");
    s.wire("core.b+30", "mux.t+30", "m_axi");
    s.wire("mux.r", "controller.l", "");
    s.wire("mux.l", "block.r", "");
    s.wire("controller.b", "chip.t", "");
    s.note(
        (20.0, 275.0),
        "Link, alone: 1,073 LUT4, 1,266 FF, 7 RAM; controller: 1,296 LUT4, 1,132 FF",
    );
    s.note(
        (20.0, 291.0),
        "(synthesised, ECP5). From an address to its first beat 10, 11 or 13 clocks:",
    );
    s.note((20.0, 307.0), "row open, bank closed, another row open (60 MHz, CAS 2).");
    s
}
