//! `sterna bench area` with programs of ours in the tools' place.

use std::ffi::OsString;
use std::fs;

use sterna::HostError;
use sterna::area::build::{Bench, PARTS, Wanted};
use sterna::area::{Area, Count, Family};
use sterna::board::fit;
use sterna_firmware::geometry::Geometry;

use super::Desk;
use super::flow::NETLIST;

/// Yosys: the netlist under the name of whatever top was asked for, and a line for each call.
const YOSYS: &str = r#"case "$*" in
  --version) echo 'Yosys 0 (ours)'; exit 0;;
esac
top=$(sed -n 's/.*-top \([a-z0-9_]*\) -json.*/\1/p' netlist.ys)
echo "$top" >> ../../calls
sed "s/\"mine_top\"/\"$top\"/" ../../netlist > netlist.json"#;
const NEXTPNR: &str = r#"case "$*" in
  --version) echo 'nextpnr 0 (ours)'; exit 0;;
esac
echo "$*" >> ../../calls
test -f netlist.json || exit 1
echo '{"fmax": {"clk": {"achieved": 31.5, "constraint": 25.0}},
"utilization": {"TRELLIS_COMB": {"used": 11, "available": 24288}}}' > report.json"#;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("netlist", NETLIST);
    desk.program("yosys", YOSYS);
    desk.program("nextpnr-ecp5", NEXTPNR);
    desk
}

fn run(desk: &Desk, family: Family, seed: Option<u64>) -> Result<Area, HostError> {
    let path = OsString::from(desk.path("bin"));
    let bench = Bench::new(&desk.path("area"), &path, seed.is_some())?;
    let geometry = Geometry::for_shape(64, &fit::shape("tiny").unwrap());
    bench.run(&Wanted { shape: "tiny".into(), geometry, family, seed })
}

fn calls(desk: &Desk) -> usize {
    fs::read_to_string(desk.path("calls")).unwrap_or_default().lines().count()
}

#[test]
fn cells_are_counted_and_what_has_not_changed_is_not_made_again() {
    let desk = desk();
    let area = run(&desk, Family::Ecp5, Some(3)).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(area.core, Count { lut: 3, carry: 0, places: 3, ff: 2, ram: 1.0, dsp: 0 });
    assert_eq!(area.modules.iter().map(|part| part.count).sum::<Count>(), area.core);
    assert_eq!((area.lanes, area.placed.len()), (40, PARTS.len()));
    assert_eq!((area.placed[0].reached_mhz, area.placed[0].seed), (31.5, 3));
    assert!(area.placed[1].command.contains("--speed 8 --freq 165 --seed 3"), "{area:?}");
    // Four netlists and two placements.
    assert_eq!(calls(&desk), 6);
    assert_eq!(run(&desk, Family::Ecp5, Some(3)).unwrap_or_else(|e| panic!("{e}")), area);
    assert_eq!(calls(&desk), 6, "all of it was there");
    run(&desk, Family::Ecp5, Some(4)).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(calls(&desk), 8, "another seed is placed again");
    run(&desk, Family::Xc7, None).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(calls(&desk), 11);
}

/// What cannot be read is made again, and a file of another version is no reason to stop.
#[test]
fn what_was_cut_off_is_made_again() {
    let desk = desk();
    let area = run(&desk, Family::Xcup, None).unwrap_or_else(|e| panic!("{e}"));
    desk.write("area/core-xcup-64-tiny/counted.json", "{\"key\":");
    assert_eq!(run(&desk, Family::Xcup, None).unwrap_or_else(|e| panic!("{e}")), area);
    assert_eq!(calls(&desk), 4);
}

#[test]
fn tools_that_are_missing_or_leave_nothing() {
    let desk = desk();
    fs::remove_file(desk.path("bin/nextpnr-ecp5")).unwrap();
    run(&desk, Family::Ecp5, None).unwrap_or_else(|e| panic!("{e}"));
    let error = run(&desk, Family::Ecp5, Some(1)).unwrap_err();
    assert_eq!(error.code(), "B011");
    assert_eq!(calls(&desk), 3, "nothing was begun");
    desk.write("netlist", "{}");
    let error = run(&desk, Family::Xc7, None).unwrap_err();
    assert_eq!(error.code(), "B013");
    fs::remove_file(desk.path("netlist")).unwrap();
    assert_eq!(run(&desk, Family::Xc7, None).unwrap_err().code(), "B012");
}
