//! Clients of other people's.

use std::path::Path;
use std::process::Command;

use crate::client::Server;

/// A file of `.tools`, which `scripts/setup` makes.
fn tool(name: &str) -> Option<std::path::PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/venv/bin").join(name);
    path.exists().then_some(path)
}

#[test]
fn openais_own_client_understands_it() {
    let Some(python) = tool("python") else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--slots", "2"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/serve/openai_client.py");
    let output = Command::new(python).arg(script).arg(server.url("/v1")).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "10 checks passed\n");
}
