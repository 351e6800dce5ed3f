//! A check of pages: every element is closed, in the order in which it was opened.

/// What is wrong with a page; elements without content must end in `/>`.
pub fn check(page: &str) -> Result<(), String> {
    let mut open: Vec<&str> = vec![];
    let mut rest = page.strip_prefix("<!doctype html>").unwrap_or(page);
    while let Some(at) = rest.find('<') {
        let text = &rest[..at];
        if text.contains('>') {
            return Err(format!("a stray > in `{text}`"));
        }
        let end = rest[at..].find('>').ok_or("a tag without an end")? + at;
        let tag = &rest[at + 1..end];
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("</{name}> closes nothing"));
            }
        } else if !tag.ends_with('/') {
            open.push(tag.split(char::is_whitespace).next().unwrap_or_default());
        }
        if !tag.matches('"').count().is_multiple_of(2) {
            return Err(format!("quotes in <{tag}>"));
        }
        rest = &rest[end + 1..];
    }
    if open.is_empty() { Ok(()) } else { Err(format!("{open:?} stay open")) }
}

#[test]
fn what_is_wrong_with_a_page_is_found() {
    assert_eq!(check("<!doctype html><p class=\"a\">x<br/>y</p>"), Ok(()));
    for page in ["<p>", "<p></b>", "</p>", "<p></p", "<p a=\"></p>", "<p>a > b</p>"] {
        assert!(check(page).is_err(), "{page}");
    }
}
