//! Enough of Tcl to read our own scripts: commands, words, braces, quotes, brackets.

/// A command: its words, braces and quotes taken off; what is in brackets stays one word.
pub type Command = Vec<String>;

/// Every command of a text, those in braces as text of one word.
///
/// # Errors
/// The line at which a brace, quote or bracket does not close.
pub fn commands(text: &str) -> Result<Vec<Command>, String> {
    let text = text.replace("\\\n", " ");
    let mut commands = Vec::new();
    let mut words: Command = Vec::new();
    let mut rest = text.as_str();
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        match rest.chars().next() {
            None => break,
            Some('\n' | ';') => {
                rest = &rest[1..];
                if !words.is_empty() {
                    commands.push(std::mem::take(&mut words));
                }
            }
            Some('#') if words.is_empty() => {
                rest = rest.find('\n').map_or("", |end| &rest[end..]);
            }
            Some(_) => {
                let end = word(rest).ok_or_else(|| {
                    let line = text.len() - rest.len();
                    let line = 1 + text[..line].matches('\n').count();
                    format!("line {line}: not closed: {}", rest.lines().next().unwrap_or(""))
                })?;
                let taken = &rest[..end];
                let inner = match taken.as_bytes()[0] {
                    b'{' | b'"' => &taken[1..end - 1],
                    _ => taken,
                };
                words.push(inner.to_string());
                rest = &rest[end..];
            }
        }
    }
    if !words.is_empty() {
        commands.push(words);
    }
    Ok(commands)
}

/// Length of the word at the start of a text.
fn word(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes[0] {
        b'{' => closing(text, b'{', b'}'),
        b'"' => Some(text[1..].find('"')? + 2),
        _ => {
            let mut at = 0;
            while at < bytes.len() && !b" \t\n;".contains(&bytes[at]) {
                at += if bytes[at] == b'[' { closing(&text[at..], b'[', b']')? } else { 1 };
            }
            Some(at)
        }
    }
}

fn closing(text: &str, open: u8, close: u8) -> Option<usize> {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte == open {
            depth += 1;
        } else if byte == close {
            depth -= 1;
            if depth == 0 {
                return Some(at + 1);
            }
        }
    }
    None
}

/// Every command of a text and of the bodies of its loops and branches, and those in brackets.
pub fn all(text: &str) -> Result<Vec<Command>, String> {
    let mut found = Vec::new();
    for command in commands(text)? {
        let bodies: &[usize] = match command[0].as_str() {
            "foreach" => &[3],
            "for" => &[4],
            "if" => &[2, 4],
            _ => &[],
        };
        for body in bodies.iter().filter_map(|place| command.get(*place)) {
            found.extend(all(body)?);
        }
        for (place, word) in command.iter().enumerate() {
            if bodies.contains(&place) && command[0] != "set" {
                continue;
            }
            for inner in brackets(word) {
                found.extend(all(inner)?);
            }
        }
        found.push(command);
    }
    Ok(found)
}

/// What is in the brackets of a word.
fn brackets(word: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = word;
    while let Some(start) = rest.find('[') {
        let Some(end) = closing(&rest[start..], b'[', b']') else { break };
        let inner = &rest[start + 1..start + end - 1];
        // `led[0]` in a port's name is no command.
        if !inner.is_empty() && !inner.bytes().all(|byte| byte.is_ascii_digit()) {
            found.push(inner);
        }
        rest = &rest[start + end..];
    }
    found
}

#[test]
fn commands_are_read() {
    let text = "# no\nset a {b c}; puts \"x y\"\nfoo [bar {z}] \\\n  -q\nif {$a} {\n  baz\n}\n";
    let found = commands(text).unwrap();
    assert_eq!(found[0], ["set", "a", "b c"]);
    assert_eq!(found[1], ["puts", "x y"]);
    assert_eq!(found[2], ["foo", "[bar {z}]", "-q"]);
    let names: Vec<String> = all(text).unwrap().into_iter().map(|c| c[0].clone()).collect();
    assert_eq!(names, ["set", "puts", "bar", "foo", "baz", "if"]);
    assert!(commands("set a {b").unwrap_err().contains("line 1"));
}
