//! board.toml and what is beside it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sterna::board::{Board, Toolchain, built_in, schema};

use super::{BOARD, Desk, constraints};

fn read(text: &str) -> Result<Board, String> {
    let mut get =
        |name: &str| Ok(["pins.lpf", "top.v"].contains(&name).then(|| format!("// {name}\n")));
    Board::read(Path::new("mine/board.toml"), text, &mut get)
        .map_err(|error| format!("[{}] {error}", error.code()))
}

/// What is in the binary is what is in the folder, file for file.
#[test]
fn the_built_in_boards_are_those_of_the_folder() {
    let entries = fs::read_dir(constraints()).unwrap();
    let folders: BTreeSet<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let names: BTreeSet<String> = built_in().into_iter().map(String::from).collect();
    assert_eq!(names, folders);
    for name in names {
        let board = Board::open(&name).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(board.name, name);
        let folder = constraints().join(&name);
        let same = Board::open(folder.to_str().unwrap()).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(board, same);
        let files = fs::read_dir(&folder).unwrap();
        let files: BTreeSet<String> =
            files.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(board.files.keys().cloned().collect::<BTreeSet<_>>(), files, "{name}");
        // Whoever changes a pin has to say what it was compared with.
        let pins = &board.files[&board.pins];
        assert!(pins.contains("github.com/") || pins.contains("alveo-u280-xdc"), "{name}");
        assert!(pins.contains("checked"), "{name}: the pins say nothing of their origin");
    }
}

/// Ports of the module `top` in Verilog like ours: name and width.
fn ports(text: &str, top: &str) -> BTreeSet<String> {
    let start = text.find(&format!("module {top} (")).expect("the board's top");
    let text = &text[start..];
    let text = &text[..text.find(");").expect("the end of its ports")];
    let mut names = BTreeSet::new();
    for line in text.lines().skip(1).map(|line| line.trim().trim_end_matches(',')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some((name, rest)) = words.split_last().filter(|(_, rest)| !rest.is_empty()) else {
            continue;
        };
        match rest.iter().find(|word| word.starts_with('[')) {
            None => {
                names.insert((*name).to_string());
            }
            Some(range) => {
                let high: usize = range[1..].split(':').next().unwrap().parse().unwrap();
                names.extend((0..=high).map(|bit| format!("{name}[{bit}]")));
            }
        }
    }
    names
}

/// Every port of an open board's top has one place, and no place has two ports.
#[test]
fn every_pin_is_a_port_and_every_port_a_pin() {
    let mut boards = 0;
    for name in built_in() {
        let board = Board::open(name).unwrap();
        let Some((file, top)) = &board.top else { continue };
        let key = match board.toolchain {
            Toolchain::Gowin => "IO_LOC",
            _ => "LOCATE COMP",
        };
        let mut placed = BTreeSet::new();
        let mut sites = BTreeSet::new();
        for line in board.files[&board.pins].lines() {
            let Some(rest) = line.strip_prefix(key) else { continue };
            let words: Vec<&str> = rest.split('"').map(str::trim).collect();
            let site = words[2..].join("").replace("SITE", "");
            let site = site.trim().trim_end_matches(';').to_string();
            assert!(placed.insert(words[1].to_string()), "{name}: {} twice", words[1]);
            assert!(sites.insert(site.clone()), "{name}: site {site} twice");
        }
        let ports: BTreeSet<String> = ports(&board.files[file], top)
            .into_iter()
            // In the FPGA's own package, found by their names.
            .filter(|port| !port.starts_with("O_sdram_") && !port.starts_with("IO_sdram_"))
            .collect();
        assert_eq!(placed, ports, "{name}");
        assert!(placed.contains(&board.clock_pin), "{name}: no clock `{}`", board.clock_pin);
        boards += 1;
    }
    assert_eq!(boards, 4);
}

#[test]
fn mistakes_are_told_with_their_line() {
    assert_eq!(read(BOARD).map(|board| board.name), Ok("mine".to_string()));
    let mut text = String::new();
    for (from, to) in [
        ("name = \"mine\"\n", "name = mine\n"),
        ("name = \"mine\"\n", ""),
        ("name = \"mine\"\n", "nam = \"mine\"\n"),
        ("name = \"mine\"\n", "name = \"mine\"\nname = \"yours\"\n"),
        ("name = \"mine\"\n", "name = \"\"\n"),
        ("[memory]", "[memroy]"),
        ("[memory]", "[cache]"),
        ("core_mhz", "core_mhs"),
        ("core_mhz = 25", "core_mhz = \"25\""),
        ("core_mhz = 25", "core_mhz = 0"),
        ("core_mhz = 25", "core_mhz = nan"),
        ("core_mhz = 25", "core_mhz = 60"),
        ("bus = 64", "bus = 96"),
        ("bus = 64", "bus = [64]"),
        ("sizes = \"tiny\"", "sizes = \"7b\""),
        ("sizes = \"tiny\"\n", ""),
        ("sizes = \"tiny\"", "sizes = \"tiny\"\nways = 4"),
        ("sizes = \"tiny\"", "sizes = \"tiny\"\nhidden = 33"),
        ("bytes = 262_144", "bytes = -1"),
        ("bytes = 262_144", "bytes = 262_145"),
        ("bytes = 262_144", "bytes = 16_781_312"),
        ("bytes = 262_144", "bytes = 99_999_999_999_999_999_999"),
        ("kind = \"block\"", "kind = \"sdr\""),
        ("kind = \"block\"", "kind = \"block\"\nmt_s = 100"),
        ("kind = \"block\"", "kind = \"sdr\"\nwidth_bits = 16\nmt_s = 100"),
        ("baud = 115_200\n", ""),
        ("baud = 115_200\n", "baud = 115_200\nlanes = 4\n"),
        ("link = \"uart\"\nbaud = 115_200\n", "link = \"xdma\"\ngeneration = 2\nlanes = 4\n"),
        ("link = \"uart\"\nbaud = 115_200\n", "link = \"xdma\"\ngeneration = 2\nlanes = 3\n"),
        ("LFE5U-12F-6BG256C", "LFE5-12F"),
        ("toolchain = \"ecp5\"", "toolchain = \"gowin\""),
        ("file = \"pins.lpf\"", "file = \"pins.cst\""),
        ("file = \"pins.lpf\"", "file = \"../pins.lpf\""),
        ("file = \"pins.lpf\"", "file = \"other.lpf\""),
        ("top = \"top.v\"\n", ""),
        ("needs = [\"a cable\"]", "needs = [1]"),
        ("arguments", "megabytes = 4\narguments"),
        ("page = \"https://", "page = \"ftp://"),
    ] {
        assert_eq!(BOARD.matches(from).count(), 1, "{from}");
        let error = read(&BOARD.replace(from, to)).expect_err(to);
        writeln!(text, "{:?} -> {:?}\n{error}\n", from, to).unwrap();
    }
    insta::assert_snapshot!(text);
}

/// Whatever is in the file, the answer is a board or an error that names file and line.
#[test]
fn no_file_is_too_odd() {
    let seed = 0xb0a2d;
    println!("seed {seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut boards, mut errors) = (0, 0);
    for _ in 0..3000 {
        let mut bytes = BOARD.as_bytes().to_vec();
        for _ in 0..=random.next_u32() % 3 {
            let at = random.next_u32() as usize % bytes.len();
            match random.next_u32() % 3 {
                0 => bytes[at] = (random.next_u32() % 128) as u8,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"\"[]=0\n"[random.next_u32() as usize % 6]),
            }
        }
        let Ok(text) = String::from_utf8(bytes) else { continue };
        match read(&text) {
            Ok(_) => boards += 1,
            Err(error) => {
                assert!(error.contains("] mine/board.toml:"), "{error}");
                errors += 1;
            }
        }
    }
    assert!(boards > 100 && errors > 100, "{boards} boards, {errors} errors");
}

#[test]
fn the_manual_has_every_key() {
    let manual = include_str!("../../docs/boards.md");
    assert!(manual.contains(&schema::manual()), "docs/boards.md lacks:\n{}", schema::manual());
}

/// The folder that the manual shows is a board.
#[test]
fn the_manuals_board_is_one() {
    let manual = include_str!("../../docs/boards.md");
    let desk = Desk::new();
    let blocks: Vec<&str> =
        manual.split("```").skip(1).step_by(2).filter(|block| block.starts_with("toml")).collect();
    assert_eq!(blocks.len(), 1);
    desk.write("board/board.toml", blocks[0].trim_start_matches("toml\n"));
    desk.write("board/pins.lpf", "");
    let (code, out, err) = desk.sterna(&["boards", "--board", "board"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    insta::assert_snapshot!(out);
}

#[test]
fn boards_are_listed() {
    let desk = Desk::new();
    let (code, out, err) = desk.sterna(&["boards"]);
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(out);
    let (code, out, err) = desk.sterna(&["boards", "--json"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    let boards = value["boards"].as_array().unwrap();
    assert_eq!(boards.len(), built_in().len());
    for board in boards {
        let keys: Vec<&str> = board.as_object().unwrap().keys().map(String::as_str).collect();
        insta::allow_duplicates! { insta::assert_snapshot!("json_of_boards", keys.join("\n")) };
        // The roofline that the design rests on, for the boards whose memory is what limits.
        let model = &board["models"][2];
        let bound = model["bound_tokens_per_second"].as_f64();
        match board["name"].as_str().unwrap() {
            "nitefury2" => assert!((bound.unwrap() - 23.23).abs() < 0.01, "{bound:?}"),
            "ulx3s-85f" => assert_eq!(bound, None),
            _ => {}
        }
        let memory = board["memory_bytes_per_second"].as_f64().unwrap();
        let core = board["core_bytes_per_second"].as_f64().unwrap();
        // Block RAM has the core's speed, and is never what limits.
        let block = board["memory"]["kind"] == "block";
        let limit = if memory <= core && !block { "memory" } else { "core" };
        assert_eq!(board["limit"], limit);
    }
}
