use sterna_rtl::{Generate, Module, SInt, Sig, UInt};

use super::{ACC_BITS, TOKEN_BITS};

/// The `k` best tokens of a vocabulary, best first (numerics.md, section 18).
///
/// ```text
///  acc -----------> better than the holder of each place?  -> [reg] ----+ who moves
///  acc, token -> [reg] -+-----------+-----------+-- ...                 v
///                       v           v           v
///                     [ 0 ] ----> [ 1 ] ----> [ 2 ] ...    in order; whoever is worse moves on
///                     best  <----       <----              shift
/// ```
///
/// ```text
///  clk      _/1\_/2\_/3\_/4\_/5\_
///  acc      A   B                  B the better one
///  shift                1
///  best     -   -   A   B   A
/// ```
///
/// Places are kept in order, so a candidate is better than a place's holder from some place on: there
/// it enters, those behind move on, and the last is forgotten. Of equal accumulators the earlier
/// stays ahead, which is the lower token if tokens come in rising order. A candidate is compared a
/// clock before it enters, with whoever will then hold the place, so that no comparison stands in
/// front of the many multiplexers (*synthesised*, ECP5, 64 places: 7,853 LUT4 instead of 14,827).
///
/// `clear` forgets everything. It and `shift` come while no candidate is inside and none arrives: a
/// clock or more before the first, [`TopK::LATENCY`] or more after the last. `best_valid` falls when
/// nothing is left. Trusts `acc` to come from a register. Latency [`TopK::LATENCY`] from a candidate
/// until `best` includes it, one from a `shift` until the next is there. Every place sees every
/// candidate, so the list is in order at once; a chain of places would need `k` clocks to come to
/// rest. Cost (*synthesised*, ECP5) of 8 places 923 LUT4, 92 CCU2C, 395 registers; of 64 7,853, 669,
/// 2,859.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopK {
    /// Places, at least 1.
    pub k: u32,
}

impl TopK {
    /// Clocks from a valid candidate until `best` includes it.
    pub const LATENCY: u32 = 2;
}

impl Generate for TopK {
    fn name(&self) -> String {
        format!("top_k_{}", self.k)
    }

    fn describe(&self, m: &Module) {
        m.require("TopK::k", self.k >= 1, || "at least one place".into());
        m.doc(format!("The {} best candidates, best first.\nLatency {}.", self.k, Self::LATENCY));
        let clear = m.input("clear", UInt(1)).comment("Forget everything.");
        let valid = m.input("valid", UInt(1));
        let acc = m.input("acc", SInt(ACC_BITS));
        let token = m.input("token", UInt(TOKEN_BITS));
        let shift = m.input("shift", UInt(1)).comment("Forget the best.");

        let arrives = valid;
        let valid = valid.delay_valid("valid", 1);
        let candidate =
            Place { held: valid, acc: acc.register("acc_in"), token: token.register("token_in") };
        let nobody = Place { held: m.lit(UInt(1), 0), ..candidate };
        let places: Vec<Place<'_>> = (0..self.k).map(|i| Place::new(m, i)).collect();
        // Whether the candidate that arrives is better than the one before it, and than a holder.
        let than_candidate = acc.gt(candidate.acc).named("than_candidate");
        let mut ahead: Option<Ahead<'_>> = None;
        for (i, &place) in places.iter().enumerate() {
            let better = m.reg(format!("better_{i}"), UInt(1));
            let than_holder = !place.held | acc.gt(place.acc);
            let than_holder = than_holder.named(format!("than_holder_{i}"));
            // Better than the holder ahead, too: that one moves here.
            let (entering, than_entering) = match ahead {
                None => (candidate, than_candidate),
                Some(ahead) => (
                    candidate.unless(ahead.better, ahead.place),
                    ahead.better.mux(ahead.than_holder, than_candidate),
                ),
            };
            let enters = (valid & better).named(format!("enters_{i}"));
            better.set(enters.mux(than_entering, than_holder));
            let behind = places.get(i + 1).copied().unwrap_or(nobody);
            m.when(shift | enters, || place.take(entering.unless(shift, behind)));
            m.when(clear, || place.held.set(0));
            ahead = Some(Ahead { place, better, than_holder });
        }
        let best = places.first().copied().unwrap_or(candidate);
        m.output("best_valid", UInt(1)).set(best.held);
        m.output("best_token", UInt(TOKEN_BITS)).set(best.token);
        m.output("best_acc", SInt(ACC_BITS)).set(best.acc);
        m.assume("nothing_inside", !(clear | shift) | !(valid | arrives));
    }
}

/// What a place has to know of the one ahead.
#[derive(Clone, Copy)]
struct Ahead<'m> {
    place: Place<'m>,
    better: Sig<'m>,
    than_holder: Sig<'m>,
}

/// A place in the order, or the candidate.
#[derive(Clone, Copy)]
struct Place<'m> {
    held: Sig<'m>,
    acc: Sig<'m>,
    token: Sig<'m>,
}

impl<'m> Place<'m> {
    fn new(m: &'m Module, i: u32) -> Place<'m> {
        Place {
            held: m.reg(format!("held_{i}"), UInt(1)).reset(0),
            acc: m.reg(format!("acc_{i}"), SInt(ACC_BITS)),
            token: m.reg(format!("token_{i}"), UInt(TOKEN_BITS)),
        }
    }

    /// The other one while `condition` holds.
    fn unless(self, condition: Sig<'m>, other: Place<'m>) -> Place<'m> {
        Place {
            held: condition.mux(other.held, self.held),
            acc: condition.mux(other.acc, self.acc),
            token: condition.mux(other.token, self.token),
        }
    }

    fn take(self, from: Place<'m>) {
        self.held.set(from.held);
        self.acc.set(from.acc);
        self.token.set(from.token);
    }
}
