//! The `sterna` command.

// Unwinding comes with the compiler's static library, so that the program needs the C library alone
// and runs on a machine that has no libgcc_s.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[link(name = "gcc_eh", kind = "static", modifiers = "-bundle")]
unsafe extern "C" {}

fn main() -> std::process::ExitCode {
    sterna::cli::main()
}
