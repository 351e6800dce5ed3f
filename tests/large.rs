//! The 370M shape from end to end; minutes and a gigabyte of disk, so only by `--long`.

use std::process::Command;

fn sterna(args: &[&str]) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_sterna")).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
#[ignore = "writes a gigabyte"]
fn the_370m_shape_with_outliers() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (checkpoint, model) = (path("checkpoint"), path("model.sterna"));
    sterna(&["synth", "--shape", "370m", "--outliers", "-o", &checkpoint, "--json"]);
    let import = sterna(&["import", &checkpoint, "-o", &model, "--json"]);
    println!("{import}");
    assert_eq!(import["weights"], 341_049_344);
    // 400 MB and twice the largest tensor (embeddings, 32000 × 1024) in f32.
    let limit = 400_000_000 + 2 * 32_000 * 1024 * 4;
    assert!(import["peak_memory_bytes"].as_u64().unwrap() <= limit);
    let run = sterna(&["run", &model, "--tokens", "1,5,77", "-n", "8", "--json"]);
    assert_eq!(run["saturations"], 0);
    println!("{}", sterna(&["bench", &model, "-n", "16", "--json"]));
}
