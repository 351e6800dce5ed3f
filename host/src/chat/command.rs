//! What a line that begins with a slash asks for.

use std::path::PathBuf;

use crate::nearest::nearest;

/// A command of the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Begins anew.
    Reset,
    /// Keeps the conversation with its state in a file.
    Save(PathBuf),
    /// Goes on with one that was kept.
    Load(PathBuf),
    /// Tells tokens, speeds and counters.
    Stats,
    /// Lists the commands.
    Help,
    /// Ends.
    Quit,
}

/// The list that `/help` prints.
pub const HELP: &str = "\
/reset      begin a new conversation
/save FILE  keep the conversation with its state
/load FILE  go on with one that was kept
/stats      tokens, speeds, counters
/help       this list
/quit       end, as Ctrl-D does
Ctrl-C stops an answer. A line that begins with two slashes is said with one.";

const NAMES: [&str; 6] = ["/reset", "/save", "/load", "/stats", "/help", "/quit"];

impl Command {
    /// Reads a line that begins with a slash.
    ///
    /// # Errors
    /// A sentence for whoever typed it.
    pub fn read(line: &str) -> Result<Command, String> {
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let file = || match rest {
            "" => Err(format!("{name} needs a file: {name} FILE")),
            file => Ok(PathBuf::from(file)),
        };
        let command = match name {
            "/save" => return file().map(Command::Save),
            "/load" => return file().map(Command::Load),
            "/reset" => Command::Reset,
            "/stats" => Command::Stats,
            "/help" => Command::Help,
            "/quit" => Command::Quit,
            _ => return Err(unknown(name)),
        };
        if rest.is_empty() { Ok(command) } else { Err(format!("{name} takes nothing after it")) }
    }
}

fn unknown(name: &str) -> String {
    let shown: String = name.chars().take(40).collect();
    match nearest(name, NAMES.into_iter()) {
        Some(near) => format!("there is no {shown}: did you mean {near}? /help lists the commands"),
        None => format!("there is no {shown}: /help lists the commands"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_commands() {
        assert_eq!(Command::read("/reset"), Ok(Command::Reset));
        assert_eq!(Command::read("/save  a b.state "), Ok(Command::Save("a b.state".into())));
        assert_eq!(Command::read("/load x"), Ok(Command::Load("x".into())));
        let told = ["/save", "/reset now", "/rest", "/", "/exit", "/frobnicate", "/STATS"];
        let told = told.map(|line| Command::read(line).unwrap_err()).join("\n");
        insta::assert_snapshot!(told, @r"
        /save needs a file: /save FILE
        /reset takes nothing after it
        there is no /rest: did you mean /reset? /help lists the commands
        there is no /: /help lists the commands
        there is no /exit: did you mean /quit? /help lists the commands
        there is no /frobnicate: /help lists the commands
        there is no /STATS: /help lists the commands
        ");
    }
}
