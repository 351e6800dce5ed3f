//! Each meter over what the system would show it, and everything that can be wrong with that.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use i2cdev::core::I2CDevice;
use sterna_power::meters::{
    Cms, FileMeter, Hwmon, Ina226, Lines, Pattern, Rapl, Root, Spec, Xbutil, open, survey,
};
use sterna_power::{Clock, Meter, PowerError, Quantity, SystemClock};

/// A system that does not exist.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Tree {
        Tree(tempfile::tempdir().unwrap())
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }

    fn all(&self, folder: &str, files: &[(&str, &str)]) {
        files.iter().for_each(|(name, text)| self.write(&format!("{folder}/{name}"), text));
    }

    fn root(&self) -> Root {
        Root::new(self.0.path())
    }

    /// A message without the place of the tree.
    fn said(&self, error: &PowerError) -> String {
        let text = error.to_string().replace(&self.0.path().display().to_string(), "ROOT");
        format!("error[{}]: {text}", error.code())
    }
}

fn words(text: &[&str]) -> Vec<String> {
    text.iter().map(|word| word.to_string()).collect()
}

fn read(meter: &mut dyn Meter) -> Vec<f64> {
    let readings = meter.read(Duration::ZERO).unwrap();
    readings.into_iter().next_back().expect("a reading").values
}

fn rails(meter: &dyn Meter) -> Vec<(String, bool)> {
    meter.description().rails.iter().map(|rail| (rail.name.clone(), rail.counted)).collect()
}

const HWMON: &str = "sys/class/hwmon";

/// A chip that says watts, one of volts and amperes, one without power.
fn chips() -> Tree {
    let tree = Tree::new();
    let ina = [
        ("name", "ina226"),
        ("power1_input", "3510000"),
        ("curr1_input", "700"),
        ("in1_input", "5014"),
        ("update_interval", "36"),
    ];
    tree.all(&format!("{HWMON}/hwmon2"), &ina);
    let pmbus = [
        ("name", "ltc2977"),
        ("curr1_input", "2000"),
        ("in1_input", "850"),
        ("in1_label", "VCCINT"),
        ("curr2_input", "500"),
        ("in2_input", "1800"),
        ("curr2_label", "VCCAUX"),
        // A current without its voltage is no power.
        ("curr3_input", "500"),
    ];
    tree.all(&format!("{HWMON}/hwmon10"), &pmbus);
    tree.all(&format!("{HWMON}/hwmon0"), &[("name", "coretemp"), ("temp1_input", "45000")]);
    tree
}

#[test]
fn hwmon_sums_rails_that_match() {
    let tree = chips();
    let mut all = Hwmon::open(&tree.root(), &[]).unwrap();
    assert_eq!(read(&mut all), [3.51, 1.7, 0.9]);
    let names: Vec<String> = rails(&all).into_iter().map(|rail| rail.0).collect();
    assert_eq!(names, ["ina226/power1", "ltc2977/VCCINT", "ltc2977/VCCAUX"]);
    assert_eq!(all.description().interval_s, 0.036);
    assert!(!all.description().averages, "one of them does not");
    for (wanted, watts) in [
        (&["ina226"][..], &[3.51][..]),
        (&["hwmon10"], &[1.7, 0.9]),
        (&["ltc*/VCC*"], &[1.7, 0.9]),
        (&["ltc2977/VCCAUX", "ina*"], &[3.51, 0.9]),
    ] {
        let mut some = Hwmon::open(&tree.root(), &words(wanted)).unwrap();
        assert_eq!(read(&mut some), watts, "{wanted:?}");
    }
    let mut one = Hwmon::open(&tree.root(), &words(&["ina226"])).unwrap();
    assert!(one.description().averages && one.description().name == "hwmon:ina226");
    tree.write(&format!("{HWMON}/hwmon2/power1_input"), "-20000");
    assert_eq!(read(&mut one), [-0.02]);
}

#[test]
fn rapl_counts_over_its_end() {
    let tree = Tree::new();
    let zones = [
        ("intel-rapl:0", "package-0", "1000000"),
        ("intel-rapl:0:0", "core", "500000"),
        ("intel-rapl:0:1", "dram", "100000"),
        ("intel-rapl:1", "psys", "9000000"),
    ];
    let place = |zone: &str| format!("sys/class/powercap/{zone}");
    for (zone, name, energy) in zones {
        let files = [("name", name), ("energy_uj", energy), ("max_energy_range_uj", "10000000")];
        tree.all(&place(zone), &files);
    }
    fs::create_dir_all(tree.0.path().join("sys/class/powercap/intel-rapl")).unwrap();
    let mut rapl = Rapl::open(&tree.root()).unwrap();
    let expected = [("package-0", true), ("psys", false), ("core-0", false), ("dram-0", true)];
    assert_eq!(rails(&rapl), expected.map(|(name, counted)| (name.to_string(), counted)));
    assert!(rapl.description().rails.iter().all(|rail| rail.quantity == Quantity::Energy));
    assert_eq!(read(&mut rapl), [0.0; 4]);
    let energy = format!("{}/energy_uj", place("intel-rapl:0"));
    for (counter, joules) in [("9000000", 8.0), ("2000000", 11.0), ("1500000", 20.5)] {
        tree.write(&energy, counter);
        assert!((read(&mut rapl)[0] - joules).abs() < 1e-9, "{counter}");
    }
    tree.write(&energy, "10020000");
    let error = rapl.read(Duration::ZERO).unwrap_err();
    insta::assert_snapshot!(tree.said(&error), @"error[W005]: ROOT/sys/class/powercap/intel-rapl:0/energy_uj: `10020000` is not µJ within the counter's range; is it the file of a sensor?");
}

const CMS: u64 = 0x4_0000;

/// The registers of a card, as a file of zeros.
fn registers(tree: &Tree, values: &[(u64, u32)]) {
    tree.write("dev/xdma0_user", "");
    let file = fs::OpenOptions::new().write(true).open(tree.0.path().join("dev/xdma0_user"));
    let file = file.unwrap();
    file.set_len(0x10_0000).unwrap();
    for (offset, value) in values {
        file.write_all_at(&value.to_le_bytes(), CMS + offset).unwrap();
    }
}

const MAP: u64 = 0x2_8000;

#[test]
fn cms_multiplies_volts_and_amperes() {
    let tree = Tree::new();
    // 12.1 V × 1.5 A, 12 V × 0.5 A, 3.3 V × 0.2 A; 0.85 V × 9 A behind them.
    let sensors = [
        (0x20, 12_500, 12_100),
        (0xc8, 9_000, 1_500),
        (0x44, 12_000, 12_000),
        (0xd4, 900, 500),
        (0x2c, 3_300, 3_300),
        (0x278, 300, 200),
        (0xe0, 850, 850),
        (0xec, 9_500, 9_000),
    ];
    let mut values = vec![(0x2_0000, 1), (MAP, 0x7473_6574)];
    for (at, most, now) in sensors {
        // The maximum is what must not be read.
        values.extend([(MAP + at, most), (MAP + at + 4, 77), (MAP + at + 8, now)]);
    }
    registers(&tree, &values);
    let mut cms = Cms::open(&tree.root(), Some(0), Some(CMS)).unwrap();
    let watts = read(&mut cms);
    let expected = [18.15, 6.0, 0.66, 7.65];
    assert!(watts.iter().zip(expected).all(|(w, e)| (w - e).abs() < 1e-9), "{watts:?}");
    let counted: Vec<bool> = rails(&cms).into_iter().map(|rail| rail.1).collect();
    assert_eq!(counted, [true, true, true, false]);
    registers(&tree, &[(MAP + 0xc8 + 8, u32::MAX)]);
    let error = cms.read(Duration::ZERO).unwrap_err();
    assert_eq!(error.code(), "W004");
}

#[test]
fn cms_is_let_out_of_reset_only_if_it_is_named() {
    let tree = Tree::new();
    let reset = || fs::read(tree.0.path().join("dev/xdma0_user")).unwrap()[0x6_0000];
    registers(&tree, &[(MAP, 0x7473_6574)]);
    let found = survey(&tree.root()).into_iter().find(|c| matches!(c.spec, Spec::Cms { .. }));
    let error = found.unwrap().meter.err().unwrap();
    assert!(error.to_string().contains("`--meter cms` lets it out"), "{error}");
    assert_eq!(reset(), 0);
    Cms::open(&tree.root(), None, None).unwrap();
    assert_eq!(reset(), 1);
    Cms::find(&tree.root()).unwrap();
}

/// The registers of a chip on a bus; no answer without them.
struct Chip(std::collections::BTreeMap<u8, u16>, u8);

impl I2CDevice for Chip {
    type Error = io::Error;

    fn read(&mut self, data: &mut [u8]) -> io::Result<()> {
        let word = self.0.get(&self.1).copied().ok_or(io::Error::from_raw_os_error(121))?;
        data.copy_from_slice(&word.to_be_bytes());
        Ok(())
    }

    fn write(&mut self, data: &[u8]) -> io::Result<()> {
        self.1 = data[0];
        if let [register, high, low] = *data {
            self.0.insert(register, u16::from_be_bytes([high, low]));
        }
        Ok(())
    }

    fn smbus_write_quick(&mut self, _: bool) -> io::Result<()> {
        unreachable!()
    }

    fn smbus_read_block_data(&mut self, _: u8) -> io::Result<Vec<u8>> {
        unreachable!()
    }

    fn smbus_read_i2c_block_data(&mut self, _: u8, _: u8) -> io::Result<Vec<u8>> {
        unreachable!()
    }

    fn smbus_write_block_data(&mut self, _: u8, _: &[u8]) -> io::Result<()> {
        unreachable!()
    }

    fn smbus_write_i2c_block_data(&mut self, _: u8, _: &[u8]) -> io::Result<()> {
        unreachable!()
    }

    fn smbus_process_block(&mut self, _: u8, _: &[u8]) -> io::Result<Vec<u8>> {
        unreachable!()
    }
}

fn chip(values: &[(u8, u16)]) -> Chip {
    let ids = [(0xfe, 0x5449), (0xff, 0x2260), (1, 0), (2, 4000)];
    Chip(ids.iter().chain(values).copied().collect(), 0)
}

#[test]
fn an_ina226_is_set_up_and_read() {
    // 4000 steps of 1.25 mV are 5 V; 2800 of 2.5 uV over 10 mOhm are 0.7 A.
    let mut meter = Ina226::new(chip(&[(1, 2800)]), "/dev/i2c-1", 0x40, 0.01, 0.01).unwrap();
    assert!((read(&mut meter)[0] - 3.5).abs() < 1e-9);
    let accuracy = meter.description().accuracy.unwrap();
    // A per cent of the shunt, a tenth of either voltage, 10 uV of zero.
    assert!((accuracy.gain - 0.012).abs() < 1e-9 && (accuracy.offset_w - 0.005).abs() < 1e-9);
    let range = meter.description().range_w.unwrap();
    assert!((range[1] - 40.96).abs() < 1e-9, "{range:?}");
    // Current that flows back.
    let mut back =
        Ina226::new(chip(&[(1, (-400i16) as u16)]), "/dev/i2c-1", 0x40, 0.01, 0.0).unwrap();
    assert!((read(&mut back)[0] + 0.5).abs() < 1e-9);
}

/// Bytes that come in pieces; then nothing, or the end.
struct Pieces(Vec<&'static [u8]>, ErrorKind);

impl Read for Pieces {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return if self.1 == ErrorKind::UnexpectedEof { Ok(0) } else { Err(self.1.into()) };
        }
        let piece = self.0.remove(0);
        bytes[..piece.len()].copy_from_slice(piece);
        Ok(piece.len())
    }
}

fn lines(pieces: &[&'static [u8]], pattern: &str) -> Lines<Pieces> {
    let pattern = Pattern::new(pattern).unwrap();
    Lines::new("serial:/dev/ttyUSB1", Pieces(pieces.to_vec(), ErrorKind::WouldBlock), pattern, 0.1)
}

#[test]
fn lines_are_matched_as_they_end() {
    let mut meter = lines(
        &[b"V=5.01 I=0.5A\r\nV=5.0", b"0 I=0.70A\r\nV=4"],
        r"V=(?<volts>[\d.]+) I=(?<amps>[\d.]+)A",
    );
    assert!((read(&mut meter)[0] - 3.5).abs() < 1e-9, "the newest whole line");
    assert_eq!(meter.read(Duration::ZERO).unwrap(), []);
    let mut milli = lines(&[b"3510 mW\n"], r"(?<milliwatts>\d+) mW");
    assert_eq!(read(&mut milli), [3.51]);
    let counter = lines(&[b"17.25 J\n"], r"(?<joules>[\d.]+) J");
    assert_eq!(counter.description().rails[0].quantity, Quantity::Energy);
    // What never ends is forgotten, not kept.
    let mut noise = lines(&[&[b'x'; 1024][..]; 100], "(?<watts>[0-9]+)");
    assert_eq!(noise.read(Duration::ZERO).unwrap(), []);
    assert_eq!(noise.read(Duration::ZERO).unwrap(), []);
}

#[test]
fn a_file_plays_at_its_own_times() {
    let tree = Tree::new();
    tree.write("bench.csv", "time_s,board_w\n0.0,3\n0.1,4\n0.2,5\n\n0.3,6");
    let path = tree.0.path().join("bench.csv");
    let mut meter = FileMeter::open(&path).unwrap();
    assert!((meter.description().interval_s - 0.1).abs() < 1e-9);
    let mut at = |ms| -> Vec<(u128, f64)> {
        let readings = meter.read(Duration::from_millis(ms)).unwrap();
        readings.iter().map(|r| (r.at.unwrap().as_millis(), r.values[0])).collect()
    };
    assert_eq!(at(0), [(0, 3.0)]);
    assert_eq!(at(150), [(100, 4.0)]);
    assert_eq!(at(199), []);
    // A line that is being written is no line yet.
    let mut text = fs::read_to_string(&path).unwrap();
    text += "0.4,7";
    fs::write(&path, &text).unwrap();
    assert_eq!(at(1000), [(200, 5.0), (300, 6.0)]);
    text += ".5\n";
    fs::write(&path, &text).unwrap();
    assert_eq!(at(1000), [(400, 7.5)]);
}

#[test]
fn a_file_with_the_walls_time_is_put_in_place() {
    let tree = Tree::new();
    let zero = SystemClock::start().unix().as_secs_f64() - 2.0;
    let mut text = String::new();
    for (t, volts, amps, joules) in
        [(-1.0, 5.0, 1.0, 10.0), (0.5, 5.0, 2.0, 16.0), (1.0, 4.0, 1.5, 20.0)]
    {
        let _ = writeln!(
            text,
            r#"{{"unix_s":{},"usb_v":{volts},"usb_a":{amps},"cpu_j":{joules}}}"#,
            zero + t
        );
    }
    tree.write("log.jsonl", text.trim_end());
    let mut meter = FileMeter::open(&tree.0.path().join("log.jsonl")).unwrap();
    let readings = meter.read(Duration::from_secs(2)).unwrap();
    // What was before the recording is left out.
    assert_eq!(readings.len(), 2);
    assert!((readings[0].at.unwrap().as_secs_f64() - 0.5).abs() < 0.1);
    let of =
        |name: &str| meter.description().rails.iter().position(|rail| rail.name == name).unwrap();
    assert_eq!(readings[0].values[of("usb")], 10.0);
    assert_eq!(readings[1].values[of("cpu")], 20.0);
}

#[test]
fn meters_are_named() {
    for (word, same) in [
        ("hwmon", "hwmon"),
        ("hwmon:ina226/VCCINT,ltc*", "hwmon:ina226/VCCINT,ltc*"),
        ("rapl", "rapl"),
        ("cms", "cms"),
        ("cms:1", "cms:1"),
        ("cms:0@0x40000", "cms:0@0x40000"),
        ("xbutil:0000:01:00.1", "xbutil:0000:01:00.1"),
        ("ina226:1@0x45,shunt=0.1,tolerance=0.5", "ina226:1@0x45"),
        ("serial:/dev/ttyUSB1,baud=9600,pattern=^(?<watts>[0-9]{1,3}),", "serial:/dev/ttyUSB1"),
        ("file:bench.csv", "file:bench.csv"),
        ("activity", "activity"),
    ] {
        assert_eq!(word.parse::<Spec>().unwrap().to_string(), same);
    }
    let bad = [
        "",
        "volts",
        "rapl:0",
        "hwmon:a,,b",
        "cms:x",
        "cms:0@0x3",
        "cms:0@0x100000000",
        "file:",
        "serial",
        "ina226:1@0x40",
        "ina226:1@0x20,shunt=1",
        "ina226:1@0x40,shunt=0",
        "ina226:1@0x40,shunt=nan",
        "ina226:1@0x40,shunt=1,tolerance=200",
        "serial:/dev/x,baud=fast,pattern=(?<watts>.)",
        "serial:/dev/x",
        "serial:/dev/x,baud=1,pattern=(?<watts>.)",
        "serial:/dev/x,interval=nan,pattern=(?<watts>.)",
        "serial:/dev/x,pattern=(?<power>.)",
        "serial:/dev/x,pattern=(?<watts>.",
        "serial:/dev/x,pattern=(?<amps>.)",
    ];
    let mut said = String::new();
    for word in bad {
        let error = word.parse::<Spec>().unwrap_err();
        let _ = writeln!(said, "error[{}]: {error}", error.code());
    }
    insta::assert_snapshot!(said);
}

/// Every way in which a meter is not there, or says nonsense.
#[test]
fn what_is_in_a_meters_way_is_said() {
    let mut said = String::new();
    let mut say = |tree: &Tree, what: &str, result: Result<(), PowerError>| {
        let error = result.expect_err(what);
        let _ = writeln!(said, "{what}:\n  {}", tree.said(&error));
    };
    let empty = Tree::new();
    for candidate in survey(&empty.root()) {
        // Whether this machine has XRT is nobody's business.
        if candidate.spec.to_string() != "xbutil" {
            say(&empty, &candidate.spec.to_string(), candidate.meter.map(|_| ()));
        }
    }
    let spec: Spec = "ina226:1@0x40,shunt=0.01".parse().unwrap();
    say(&empty, "no bus", open(&spec, &empty.root()).unwrap().map(|_| ()));

    let tree = chips();
    let hwmon = |tree: &Tree, word: &str| Hwmon::open(&tree.root(), &words(&[word])).map(|_| ());
    say(&tree, "another chip", hwmon(&tree, "ina219"));
    tree.write(&format!("{HWMON}/hwmon2/power1_input"), "N/A");
    say(&tree, "no number", hwmon(&tree, "ina226"));
    let mut meter = Hwmon::open(&tree.root(), &words(&["ltc2977"])).unwrap();
    fs::remove_dir_all(tree.0.path().join(HWMON).join("hwmon10")).unwrap();
    say(&tree, "a sensor that is gone", meter.read(Duration::ZERO).map(|_| ()));

    let zone = "sys/class/powercap/intel-rapl:0";
    tree.all(zone, &[("name", "package-0"), ("energy_uj", "7"), ("max_energy_range_uj", "0")]);
    say(&tree, "a counter without range", Rapl::open(&tree.root()).map(|_| ()));

    registers(&tree, &[(0x2_0000, 1), (MAP, 7)]);
    say(&tree, "no CMS", Cms::open(&tree.root(), None, None).map(|_| ()));
    registers(&tree, &[(0x2_0000, 0xdead)]);
    say(&tree, "no MB_RESETN", Cms::open(&tree.root(), None, None).map(|_| ()));
    say(&tree, "beyond the registers", Cms::open(&tree.root(), None, Some(0x20_0000)).map(|_| ()));

    let ina = |chip| Ina226::new(chip, "/dev/i2c-1", 0x40, 0.01, 0.01).map(|_| ());
    say(&tree, "nobody", ina(Chip(Default::default(), 0)));
    say(&tree, "another maker", ina(chip(&[(0xff, 0x2270)])));

    let mut end = Lines::new(
        "serial:/dev/ttyUSB1",
        Pieces(vec![], ErrorKind::UnexpectedEof),
        Pattern::new("(?<watts>.)").unwrap(),
        0.1,
    );
    say(&tree, "a port that is gone", end.read(Duration::ZERO).map(|_| ()));
    let mut other = lines(&[&b"OL A\n"[..]; 60], r"(?<watts>[\d.]+) W");
    say(&tree, "other lines", other.read(Duration::ZERO).map(|_| ()));
    insta::assert_snapshot!(said);
}

/// Files of samples that make no sense, by their text.
#[test]
fn what_is_wrong_with_a_file_is_said() {
    let mut said = String::new();
    for text in [
        "",
        "time_s",
        "board_w\n1",
        "time_s,unix_s,board_w",
        "time_s,board",
        "time_s,board_v",
        "time_s,board_x",
        "time_s,board_w\n0,1\n0,2",
        "time_s,board_w\n0,1\n1",
        "time_s,board_w\n0,one",
        "time_s,board_w\n0,1e99",
        "{\"time_s\":0,\"board_w\":\"1\"}",
        "{\"time_s\":0,\"board_w\":1}\n{\"time_s\":1}",
        "{\"time_s\":0,\"board_w\":1",
    ] {
        let tree = Tree::new();
        tree.write("bench.csv", text);
        let path = tree.0.path().join("bench.csv");
        let all = FileMeter::open(&path).and_then(|mut meter| meter.read(Duration::MAX));
        let error = all.expect_err(text);
        let _ = writeln!(said, "{text:?}:\n  {}", tree.said(&error));
    }
    let absent = FileMeter::open(Path::new("nowhere.csv")).err().unwrap();
    let _ = writeln!(said, "error[{}]: {absent}", absent.code());
    insta::assert_snapshot!(said);
}

/// A program that writes `json` where it is told to, and notes how it was called.
fn program(tree: &Tree, json: &str) -> std::path::PathBuf {
    tree.write("electrical.json", json);
    let folder = tree.0.path().display();
    tree.write(
        "xbutil",
        &format!("#!/bin/sh\necho \"$@\" >{folder}/called\ncp {folder}/electrical.json \"$8\""),
    );
    let path = tree.0.path().join("xbutil");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

const ELECTRICAL: &str = r#"{"devices":[{"electrical":{
    "power_consumption_max_watts":"225.0","power_consumption_watts":"28.854",
    "power_rails":[
        {"id":"12v_pex","voltage":{"volts":"12.1","is_present":"true"},"current":{"amps":"1.5"}},
        {"id":"0v85","voltage":{"volts":"0.85"},"current":{"amps":"N/A"}},
        {"id":"vccint","voltage":{"volts":0.85},"current":{"amps":9.0}}
    ]}}]}"#;

#[test]
fn xbutil_is_asked() {
    let tree = Tree::new();
    let path = program(&tree, ELECTRICAL);
    let mut meter = Xbutil::by(&path, Some("0000:01:00.1")).unwrap();
    let watts = read(&mut meter);
    assert!(
        watts.iter().zip([28.854, 18.15, 7.65]).all(|(w, e)| (w - e).abs() < 1e-9),
        "{watts:?}"
    );
    let expected = [("card", true), ("12v_pex", false), ("vccint", false)];
    assert_eq!(rails(&meter), expected.map(|(name, counted)| (name.to_string(), counted)));
    let called = fs::read_to_string(tree.0.path().join("called")).unwrap();
    assert!(called.starts_with("examine -r electrical -f JSON --force -o "), "{called}");
    assert!(called.trim().ends_with("-d 0000:01:00.1"), "{called}");
}

#[test]
fn what_is_wrong_with_xbutil_is_said() {
    let tree = Tree::new();
    let mut said = String::new();
    let mut say = |error: PowerError| {
        let _ = writeln!(said, "{}", tree.said(&error));
    };
    say(Xbutil::by(&tree.0.path().join("nowhere"), None).err().unwrap());
    say(Xbutil::by(Path::new("false"), None).err().unwrap());
    for json in [
        "watts",
        "{}",
        r#"{"devices":[{},{}]}"#,
        r#"{"devices":[{"electrical":{"power_consumption_watts":"N/A"}}]}"#,
    ] {
        say(Xbutil::by(&program(&tree, json), None).err().unwrap());
    }
    let mut meter = Xbutil::by(&program(&tree, ELECTRICAL), None).unwrap();
    program(&tree, &ELECTRICAL.replace("vccint", "vccaux"));
    say(meter.read(Duration::ZERO).unwrap_err());
    // Root may read everything, so that nobody is denied here.
    say(PowerError::Denied { path: "energy_uj".into(), next: "run as root" });
    insta::assert_snapshot!(said);
}
