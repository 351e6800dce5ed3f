//! Commands in the pages: lines that begin with `$ ` in blocks marked `console`.

use std::fs;
use std::path::{Path, PathBuf};

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every page for people, by its path from the project's folder.
pub fn pages() -> Vec<(String, String)> {
    let fixed = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "model/demo/README.md"];
    let mut names: Vec<String> = fixed.map(String::from).to_vec();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            names.push(format!("docs/{name}"));
        }
    }
    names.sort();
    let read = |name: String| {
        let text = fs::read_to_string(root().join(&name)).unwrap();
        (name, text)
    };
    names.into_iter().map(read).collect()
}

/// One block.
pub struct Block {
    /// What is typed, comments left out.
    pub commands: Vec<String>,
    /// The recording that follows it.
    pub recording: Option<String>,
}

/// The blocks of a page.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = vec![];
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim() != "```console" {
            continue;
        }
        let mut commands: Vec<String> = vec![];
        for line in lines.by_ref().take_while(|line| line.trim() != "```") {
            // A line that ends in a backslash goes on in the next.
            match (line.trim().strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => commands.push(bare(command)),
                (None, Some(begun)) if begun.ends_with('\\') => {
                    begun.pop();
                    *begun += line.trim();
                }
                _ => {}
            }
        }
        while lines.next_if(|line| line.is_empty()).is_some() {}
        let picture = lines.peek().and_then(|line| line.strip_prefix("!["));
        let file =
            picture.and_then(|picture| picture.split_once("](pictures/")?.1.strip_suffix(')'));
        let recording = file.filter(|file| file.starts_with("tour-")).map(String::from);
        blocks.push(Block { commands, recording });
    }
    blocks
}

/// A command without the comment behind it.
fn bare(line: &str) -> String {
    line.split_once(" #").map_or(line, |(command, _)| command).trim_end().into()
}
