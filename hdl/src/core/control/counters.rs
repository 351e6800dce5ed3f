//! Where the clocks of a run went, and how many values were clamped.

use sterna_rtl::{Module, Sig, UInt};

use super::State;
use super::inputs::Heard;
use super::kept::Kept;

/// Bits of a counter: at 1 GHz three days.
const COUNTER: u32 = 48;

/// Counts while passes run, from 0 in each run: clocks, beats, and why there was none. Returns what
/// was clamped since the core was reset.
pub(super) fn count<'m>(
    m: &'m Module,
    heard: &Heard<'m>,
    kept: &Kept<'m>,
    image_fires: Sig<'m>,
    run: Sig<'m>,
) -> Sig<'m> {
    let &Heard { image_valid: valid, image_want: want, .. } = heard;
    let counting = kept.state.at(State::Pass).named("counting");
    let counted = [
        ("cycles", m.lit(UInt(1), 1)),
        ("beats", image_fires),
        ("starved", want & !valid),
        ("blocked", valid & !want),
        ("idle", !valid & !want),
    ];
    let restart = kept.state.at(State::Check) & run;
    for (name, what) in counted {
        let counter = m.reg(format!("{name}_so_far"), UInt(COUNTER)).reset(0);
        let what = (counting & what).register(format!("{name}_more")).reset(0);
        m.when(what, || counter.set(counter.wrapping_add(1)));
        m.when(restart, || counter.set(0));
        m.output(format!("{name}_lo"), UInt(32)).set(counter.slice(0..32));
        m.output(format!("{name}_hi"), UInt(32)).set(counter.slice(32..COUNTER).extend(32));
    }
    let saturations = m.reg("saturations_now", UInt(32)).reset(0);
    saturations.set((saturations + heard.clamps).truncate(32));
    saturations
}
