//! The sequences on chip: of each its token, whether its state is valid, and who takes part.

use sterna_rtl::{Module, Sig, UInt};

/// What is kept of the sequences; masks have a bit for each.
pub(super) struct Sequences<'m> {
    /// Whose recurrent state means something.
    pub valid: Sig<'m>,
    /// Whose is zero, whatever the memory holds.
    pub fresh: Sig<'m>,
    /// The token that each goes on with, and the best one of its last pass.
    pub tokens: Vec<Sig<'m>>,
    pub last_tokens: Vec<Sig<'m>>,
    /// Who is meant; of a single sequence there is nothing to say.
    pub several: Option<Several<'m>>,
}

/// Which of several sequences are meant, a bit each.
pub(super) struct Several<'m> {
    /// SLOT_MASK, as far as there are slots, and the lowest of them.
    pub asked: Sig<'m>,
    pub asked_lowest: Sig<'m>,
    /// It names one at least, and none that is not there.
    pub exist: Sig<'m>,
    /// Those that take part in what is obeyed, and the lowest.
    pub mask: Sig<'m>,
    pub lowest: Sig<'m>,
    /// Those whose state changes: of a chain the lowest.
    pub owners: Sig<'m>,
}

impl<'m> Several<'m> {
    pub fn new(m: &'m Module, slots: u32, slot_mask: Sig<'m>, chain: Sig<'m>) -> Several<'m> {
        let lowest = |mask: Sig<'m>| mask & m.lit(UInt(slots), 0).wrapping_sub(mask);
        let asked = slot_mask.slice(0..slots).named("asked");
        let exist = match slots {
            8 => asked.any(),
            _ => asked.any() & !slot_mask.slice(slots..8).any(),
        };
        let mask = m.reg("mask_now", UInt(slots)).reset(0);
        let own = lowest(mask).named("lowest_of_mask");
        Several {
            asked,
            asked_lowest: lowest(asked).named("asked_lowest"),
            exist: exist.named("slots_exist"),
            mask,
            lowest: own,
            owners: chain.mux(own, mask).named("owners"),
        }
    }
}

/// Marks states as something, those of some slots.
fn mark<'m>(of: Sig<'m>, slots: Option<Sig<'m>>, value: bool) {
    match slots {
        None => of.set(u8::from(value)),
        Some(slots) if value => of.set(of | slots),
        Some(slots) => of.set(of & !slots),
    }
}

impl<'m> Sequences<'m> {
    /// States are valid now, or are not: those of one kind of slots, where there are several.
    pub fn mark_valid(&self, slots: fn(&Several<'m>) -> Sig<'m>, value: bool) {
        mark(self.valid, self.several.as_ref().map(slots), value);
    }

    /// States are zero now, or are not.
    pub fn mark_fresh(&self, slots: fn(&Several<'m>) -> Sig<'m>, value: bool) {
        mark(self.fresh, self.several.as_ref().map(slots), value);
    }

    /// Each goes on with its token of these.
    pub fn go_on_with(&self, tokens: &[Sig<'m>]) {
        self.tokens.iter().zip(tokens).for_each(|(to, from)| to.set(*from));
    }

    /// Keeps the best token of each that takes part.
    pub fn keep_best(&self, best: &[Sig<'m>]) {
        for (n, (last, best)) in self.last_tokens.iter().zip(best).enumerate() {
            match &self.several {
                None => last.set(*best),
                Some(several) => {
                    let m = last.module();
                    m.when(several.mask.bit(n as u32), || last.set(*best));
                }
            }
        }
    }

    /// The tokens that the engine begins a pass with.
    pub fn entering(&self) -> Vec<Sig<'m>> {
        match &self.several {
            None => self.tokens.clone(),
            // Who takes no part goes the same way, with a row that is sure to be there.
            Some(several) => {
                let all = self.tokens.iter().enumerate();
                all.map(|(n, token)| several.mask.bit(n as u32).mux(*token, 0)).collect()
            }
        }
    }
}
