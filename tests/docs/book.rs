//! The book: every page is in it, every link leads somewhere, every picture is shown.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use regex::Regex;

use crate::console::{pages, root};

/// Targets of the links in a page, pictures among them; what is code is passed over.
fn links(page: &str) -> Vec<String> {
    let code = Regex::new(r"(?ms)^ *```.*?^ *```|`[^`\n]*`").unwrap();
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let prose = code.replace_all(page, "");
    link.captures_iter(&prose).map(|found| found[1].to_string()).collect()
}

/// The anchors of a page's headings, as mdBook and GitHub make them.
fn anchors(page: &str) -> BTreeSet<String> {
    let (mut anchors, mut code) = (BTreeSet::new(), false);
    let target = Regex::new(r"\]\([^)]*\)").unwrap();
    for line in page.lines() {
        code ^= line.trim_start().starts_with("```");
        let title = line.trim_start_matches('#');
        if code || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let title = target.replace_all(title.trim(), "").to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let slug: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let mut name = slug.clone();
        let mut more = 0;
        while !anchors.insert(name.clone()) {
            more += 1;
            name = format!("{slug}-{more}");
        }
    }
    anchors
}

/// A path without `..`, which need not exist.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn every_page_is_in_the_summary_and_the_introduction() {
    let pages = pages();
    let docs = pages.iter().filter_map(|(name, _)| name.strip_prefix("docs/"));
    let of_book: BTreeSet<String> =
        docs.filter(|name| *name != "SUMMARY.md").map(String::from).collect();
    let listed = |name: &str| -> BTreeSet<String> {
        let (_, page) = pages.iter().find(|(page, _)| page == name).unwrap();
        let all = links(page);
        let unique: BTreeSet<String> = all.iter().cloned().collect();
        assert_eq!(unique.len(), all.len(), "{name} lists a page twice");
        unique.into_iter().filter(|link| !link.starts_with("..")).collect()
    };
    assert_eq!(listed("docs/SUMMARY.md"), of_book);
    let mut introduced = listed("docs/README.md");
    introduced.insert("README.md".into());
    assert_eq!(introduced, of_book);
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let (mut broken, mut seen) = (vec![], 0);
    for (name, page) in &pages {
        for link in links(page) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            seen += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let path = match file {
                "" => PathBuf::from(name),
                file => plain(&Path::new(name).parent().unwrap().join(file)),
            };
            if !root().join(&path).exists() {
                broken.push(format!("{name}: {link}: there is no {}", path.display()));
            } else if !anchor.is_empty() {
                let target = fs::read_to_string(root().join(&path)).unwrap();
                if !anchors(&target).contains(anchor) {
                    broken.push(format!("{name}: {link}: {} has no such heading", path.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(seen > 100, "only {seen} links found");
}

#[test]
fn every_picture_is_shown() {
    let mut shown = BTreeSet::new();
    for (name, page) in pages() {
        for link in links(&page) {
            shown.insert(plain(&Path::new(&name).parent().unwrap().join(link)));
        }
    }
    for folder in ["docs", "docs/pictures"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = Path::new(folder).join(entry.unwrap().file_name());
            let picture = path.extension().is_some_and(|ending| ending == "svg" || ending == "png");
            assert!(!picture || shown.contains(&path), "no page shows {}", path.display());
        }
    }
}

#[test]
fn links_and_headings_are_found() {
    let page = "# A, b: `c`\n[x](y.md#z)\n```\n[no](link)\n# no\n```\n## A, b: c\n`[no](code)` ![p](q.svg)\n";
    assert_eq!(links(page), ["y.md#z", "q.svg"]);
    let expected = ["a-b-c", "a-b-c-1"].map(String::from);
    assert_eq!(anchors(page), BTreeSet::from(expected));
    assert_eq!(plain(Path::new("docs/../model/x")), Path::new("model/x"));
}
