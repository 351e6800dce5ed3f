//! `docs/registers.md` is what the table of registers says.

use std::fs;
use std::path::Path;

/// `UPDATE_DOCS=1 cargo test -p sterna-hdl --test manual` writes the page.
#[test]
fn the_page_of_registers_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/registers.md");
    let manual = sterna_hdl::registers::manual();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &manual).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    assert!(page == manual, "docs/registers.md is stale: UPDATE_DOCS=1 writes it");
}
