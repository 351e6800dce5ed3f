//! The core before a test bench, bus models and a memory that are not ours: cocotb and
//! cocotbext-axi, in Icarus and in Verilator. What they expect is the golden model's.
//!
//! Shared with our own harness are the Verilog and the register map, and nothing that drives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use sterna_firmware::compile::compile;
use sterna_firmware::device::{Step, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::isa::{Opcode, UNIT, instructions};
use sterna_firmware::model::Model;
use sterna_hdl::core::Core;
use sterna_hdl::driver::{MemoryMap, contents};
use sterna_hdl::fault::Fault;
use sterna_hdl::record::{HEADER, stride};
use sterna_hdl::registers::{self as regs, Reg, command, identity};
use sterna_model::checkpoint::Checkpoint;
use sterna_model::synth::SynthSpec;
use sterna_rtl::Generate;
use sterna_rtl::parts::Access;
use sterna_sim::fuzz::made_up;

/// Bytes of their memory.
const BYTES: u64 = 1 << 24;
/// The token that enters first.
const TOKEN: u32 = 1;

fn tiny() -> Arc<Model> {
    let directory = tempfile::tempdir().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/demo/shakespeare-tiny");
    let path = directory.path().join("tiny.sterna");
    compile(&Checkpoint::open(&demo).unwrap(), &path, &mut |_| ()).unwrap();
    Model::open(&path).unwrap()
}

/// Words of the records that so many greedy tokens leave.
fn records(model: &Arc<Model>, geometry: &Geometry, count: u32) -> Vec<Vec<u32>> {
    let mut golden = Golden::new(Arc::clone(model), 1).unwrap();
    let (id, mut token) = (model.image().start().id, TOKEN);
    (0..count)
        .map(|n| {
            let (mut scale, mut all) = (None, vec![]);
            let step = Step { slot: 0, token, want: Want::Top };
            let mut keep = |seen: sterna_firmware::golden::Observation<'_>| {
                if seen.segment.instruction.opcode == Opcode::Head {
                    (scale, all) = (Some(seen.scale), seen.output.to_vec());
                }
            };
            golden.observe(&[step], &mut keep).unwrap();
            let scale = scale.unwrap();
            let mut best: Vec<(u32, i32)> = (0..).zip(all).collect();
            best.sort_by_key(|&(token, value)| (-i64::from(value), token));
            best.truncate(geometry.top_k as usize);
            token = best[0].0;
            let mut words = vec![n, token, best.len() as u32, scale.mant(), scale.exp() as u32, 0];
            words.extend([id as u32, (id >> 32) as u32]);
            words.resize(HEADER / 4, 0);
            words.extend(best.iter().flat_map(|&(token, value)| [token, value as u32]));
            words
        })
        .collect()
}

fn registers(geometry: &Geometry) -> Vec<Value> {
    let identity = identity(geometry);
    let of = |reg: &Reg| {
        let access = match reg.access {
            Access::Read => "read",
            Access::Write => "write",
            Access::Pulse => "pulse",
        };
        let mut register =
            json!({"name": reg.name, "offset": reg.offset, "width": reg.width, "access": access});
        if let Some((_, value)) = identity.iter().find(|(other, _)| other == reg) {
            register["value"] = (*value).into();
        }
        register
    };
    regs::of(geometry.slots).map(of).collect()
}

/// Writes the folder that `bench.py` reads.
fn prepare(
    name: &str,
    model: &Arc<Model>,
    geometry: &Geometry,
    count: u32,
    thorough: bool,
) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("second_opinion").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let design = Core { geometry: geometry.clone() }.build().unwrap();
    for file in &design.files {
        fs::write(folder.join(&file.name), &file.text).unwrap();
    }
    assert!(design.data.is_empty(), "the simulators would have to find it");
    fs::write(folder.join("memory.bin"), contents(model, geometry, BYTES).unwrap()).unwrap();

    let (shape, walk) = (model.shape(), instructions(&model.shape()));
    let map = MemoryMap::plan(&shape, &walk, geometry, 1, BYTES, false).unwrap();
    let units = walk.last().unwrap().end() / UNIT;
    let settings: Vec<(&str, u64)> = vec![
        (regs::IMAGE_LO.name, map.image),
        (regs::EMBED_LO.name, map.embeddings),
        (regs::RESULT_LO.name, map.results),
        (regs::LOGITS_LO.name, map.logits),
        (regs::IMAGE_UNITS.name, units as u64),
        (regs::ROW_UNITS.name, (shape.row_stride() / UNIT) as u64),
        (regs::STATE_UNITS.name, (4 * shape.state()).div_ceil(UNIT) as u64),
        (regs::COUNT.name, count.into()),
        (regs::SLOT_MASK.name, 1),
        (regs::TOKENS[0].name, TOKEN.into()),
    ];
    // The last operand of an instruction in the middle.
    let victim = walk.iter().rfind(|i| i.operands.0 > 0).unwrap();
    let damage = map.image + (victim.weights_offset() - 1) as u64;
    let job = json!({
        "registers": registers(geometry),
        "settings": settings,
        "clear": command::CLEAR,
        "run": command::RUN,
        "results": map.results,
        "stride": stride(geometry.top_k),
        "records": records(model, geometry, count),
        "damage": damage,
        "fault": Fault::PayloadCrc as u8,
        "thorough": thorough,
    });
    fs::write(folder.join("job.json"), job.to_string()).unwrap();
    folder
}

/// Runs the Python side; both of its tests have to pass.
fn judge(folder: &Path, simulator: &str) {
    let bench = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/second_opinion/bench.py");
    let output = Command::new("python3").arg(bench).arg(folder).arg(simulator).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    println!("{said}");
    assert!(output.status.success(), "see above; cocotb comes with scripts/setup");
    assert!(said.contains(&format!("{simulator}: 2 tests, 0 failed")), "both were run");
}

/// The smallest core and a model of one layer: little enough for Icarus.
#[test]
fn a_small_core_in_icarus() {
    let model = made_up(&SynthSpec::new(32, 1, 7)).unwrap();
    let geometry = Geometry { top_k: 8, ..Geometry::for_shape(64, &model.shape()) };
    judge(&prepare("small", &model, &geometry, 2, false), "icarus");
}

#[test]
#[ignore = "minutes"]
fn the_tiny_demo_in_both() {
    let model = tiny();
    let geometry = Geometry::for_shape(64, &model.shape());
    for (simulator, count) in [("verilator", 3), ("icarus", 1)] {
        let folder = prepare(simulator, &model, &geometry, count, true);
        judge(&folder, simulator);
    }
}
