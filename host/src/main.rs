//! The `sterna` command.

fn main() -> std::process::ExitCode {
    sterna::cli::main()
}
