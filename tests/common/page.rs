//! Pages of docs/ whose tables are made from figures.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of docs/.
pub fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// Compares a file with what it should be, or writes it with UPDATE_DOCS.
pub fn current(name: &str, wanted: &str) {
    let path = docs(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "docs/{name} is stale: UPDATE_DOCS=1 writes it");
}

/// A table as Markdown.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head_line = line(head.iter().map(|cell| (*cell).to_string()).collect());
    let body: String = rows.iter().cloned().map(line).collect();
    head_line + &"|---".repeat(head.len()) + "|\n" + &body
}

/// A whole number with commas.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The page with a table in the place between its marks.
pub fn put(page: &str, name: &str, table: &str) -> String {
    let (mark, end) = (format!("<!-- {name} -->\n"), "<!-- end -->");
    let (head, rest) = page.split_once(&mark).unwrap_or_else(|| panic!("no mark of {name}"));
    let at = rest.find(end).unwrap_or_else(|| panic!("no end of {name}"));
    format!("{head}{mark}\n{table}\n{}", &rest[at..])
}
