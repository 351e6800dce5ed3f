//! `sterna doctor`: what of this machine is in the way.

use std::path::PathBuf;

use serde_json::json;

use crate::doctor::{Finding, Verdict, examine};
use crate::error::{HostError, Result};
use crate::output::{self, Mark};

/// Check this machine: driver, bus, link, permissions, tools; with what to do
///
/// Nothing is changed; a card is taken for a moment, and its registers are read. Exit code 1 if
/// something keeps a card that is there from being used.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna doctor\n  \
                        sterna doctor --sysroot copy-of-a-machine --root copy-of-a-machine/dev")]
pub struct Args {
    /// Directory of the XDMA driver's nodes
    #[arg(long, value_name = "DIR", default_value = "/dev")]
    root: PathBuf,
    /// Directory with sys/, proc/ and dev/ of the system
    #[arg(long, value_name = "DIR", default_value = "/")]
    sysroot: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let findings = examine(&args.sysroot, &args.root);
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let failed = count(Verdict::Fail);
    if args.json {
        let list: Vec<_> = findings
            .iter()
            .map(|Finding { check, verdict, found, remedy }| {
                let verdict = verdict.word().to_ascii_lowercase();
                json!({ "check": check, "verdict": verdict, "found": found, "remedy": remedy })
            })
            .collect();
        output::json(&json!({
            "ok": count(Verdict::Ok),
            "warnings": count(Verdict::Warn),
            "failed": failed,
            "findings": list,
        }))?;
    } else {
        for Finding { check, verdict, found, remedy } in &findings {
            let mark = match verdict {
                Verdict::Ok => Mark::Good,
                Verdict::Warn => Mark::Doubtful,
                Verdict::Fail => Mark::Bad,
            };
            output::marked(
                mark,
                &format!("{:<4}", verdict.word()),
                &format!("  {check}: {found}"),
            )?;
            if let Some(remedy) = remedy {
                output::line(&format!("      -> {remedy}"))?;
            }
        }
    }
    match failed {
        0 => Ok(()),
        failed => Err(HostError::Doctor { failed, checks: findings.len() }),
    }
}
