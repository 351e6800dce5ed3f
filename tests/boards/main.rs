//! Boards: their files, the flow from one to a bitstream, the project for Vivado.

mod area;
#[path = "../core/common.rs"]
#[allow(dead_code, reason = "made for the tests of the core")]
mod common;
mod files;
mod flow;
mod real;
mod simulated;
mod tcl;
mod vivado;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sterna::board::Board;
use sterna_rtl::{Generate, Module, UInt};
use tempfile::TempDir;

/// `constraints/` of this tree.
fn constraints() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../constraints")
}

/// A counter: the smallest design that has a clock and a path to be timed.
struct Counter;

impl Generate for Counter {
    fn name(&self) -> String {
        "counter".into()
    }

    fn describe(&self, m: &Module) {
        m.doc("Counts.");
        let count = m.reg("count", UInt(4)).reset(0);
        count.set(count.wrapping_add(1));
        m.output("high", UInt(1)).set(count.bit(3));
    }
}

/// A folder with a board of ours and programs of ours.
struct Desk(TempDir);

const BOARD: &str = "\
name = \"mine\"
description = \"A board of one's own\"
page = \"https://example.org/\"
needs = [\"a cable\"]
[fpga]
family = \"ecp5\"
part = \"LFE5U-12F-6BG256C\"
package = \"CABGA256\"
speed = \"6\"
[clock]
pin = \"clk\"
input_mhz = 25
core_mhz = 25
pll = \"none\"
[core]
bus = 64
sizes = \"tiny\"
[memory]
kind = \"block\"
bytes = 262_144
[host]
link = \"uart\"
baud = 115_200
[pins]
file = \"pins.lpf\"
top = \"top.v\"
top_module = \"mine_top\"
[build]
toolchain = \"ecp5\"
seed = 1
[flash]
arguments = [\"--cable\", \"mine\"]
[sensors]
meters = []
";

impl Desk {
    fn new() -> Desk {
        let desk = Desk(tempfile::tempdir().unwrap());
        for folder in ["board", "bin"] {
            fs::create_dir(desk.path(folder)).unwrap();
        }
        desk.write("board/board.toml", BOARD);
        desk.write(
            "board/pins.lpf",
            "LOCATE COMP \"clk\" SITE \"P6\";\nIOBUF PORT \"clk\" IO_TYPE=LVCMOS33;\n\
             LOCATE COMP \"led\" SITE \"T6\";\nIOBUF PORT \"led\" IO_TYPE=LVCMOS33;\n\
             FREQUENCY PORT \"clk\" 25 MHZ;\n",
        );
        desk.write(
            "board/top.v",
            "module mine_top (input wire clk, output wire led);\n\
             \x20 reg rst = 1'b1;\n  always @(posedge clk) rst <= 1'b0;\n\
             \x20 counter u_counter (.clk(clk), .rst(rst), .high(led));\nendmodule\n",
        );
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// A program: a script for the shell.
    fn program(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn board(&self) -> Board {
        Board::open(self.path("board").to_str().unwrap()).unwrap_or_else(|e| panic!("{e}"))
    }

    /// Exit code, standard output and error of a command that sees only our programs.
    fn sterna(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sterna"));
        command.args(args).current_dir(self.0.path()).env_clear().stdin(Stdio::null());
        let output = command.env("PATH", self.path("bin")).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}
