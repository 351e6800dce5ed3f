use sterna_rtl::{Generate, Module, SInt, Sig, UInt};

use super::{ACC_BITS, ORDER, TOKEN_BITS, compare, greater};

/// The `k` best tokens of a vocabulary, best first (numerics.md, section 18).
///
/// ```text
///  acc -> [reg] -> how does it stand to each holder? -> [reg] -> better? -> [reg] -+ who moves
///  acc  -> [reg] x 3 ---+-----------+-----------+-- ...                 v
///                       v           v           v
///                     [ 0 ] ----> [ 1 ] ----> [ 2 ] ...    in order; whoever is worse moves on
///                       |           | at        | at
///                       v           +-----------+---> place whose turn it is
///  acc, token -+----> [best] <----------------------- [ memory ]
///              +----------------------------------------^ at: who falls out leaves room
/// ```
///
/// ```text
///  clk      _/1\_/2\_/3\_/4\_/5\_/6\_ ... _/8\_/9\_
///  acc      A   B                          B the better one
///  shift                                1
///  best     -   -   -   -   A   B       B   A
/// ```
///
/// Places are kept in order, so a candidate is better than a place's holder from some place on: there
/// it enters, those behind move on, and the last is forgotten. Of equal accumulators the earlier
/// stays ahead, which is the lower token if tokens come in rising order. A candidate is compared in
/// the two clocks before it enters, third by third, with whoever will then hold the place, so that no
/// comparison stands in front of the many multiplexers. While others enter, what was found moves on
/// along with the holder that it is about.
///
/// A place moves an accumulator and the number of a word of memory, in which accumulator and token
/// stay where they are. Reading out leaves the places alone and walks along them. *Synthesised*, ECP5,
/// 64 places in a core of 64 bits: 6,163 places of LUT4s and 2,447 registers; places that hold tokens
/// and move both ways took 8,290 and 2,827, before either was cut into shorter paths.
///
/// `clear` forgets everything. It and `shift` come while no candidate is inside and none arrives: a
/// clock or more before the first, [`TopK::LATENCY`] or more after the last, a `shift`
/// [`TopK::SETTLES`] more. Two shifts have a clock between them, and there are `k` at most before the
/// `clear` that comes before the next candidate. `best_valid` falls when
/// nothing is left. Latency [`TopK::LATENCY`] from a candidate
/// until `best` includes it, one from a `shift` until the next is there. Every place sees every
/// candidate, so the list is in order at once; a chain of places would need `k` clocks to come to
/// rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopK {
    /// Places, a power of two.
    pub k: u32,
}

/// Places that compare with the same copy of a candidate.
const PLACES_A_COPY: u32 = 16;

impl TopK {
    /// Clocks from a valid candidate until `best` includes it.
    pub const LATENCY: u32 = 4;
    /// Clocks from then until it may be read out.
    pub const SETTLES: u32 = 2;
}

impl Generate for TopK {
    fn name(&self) -> String {
        format!("top_k_{}", self.k)
    }

    fn describe(&self, m: &Module) {
        let sound = self.k.is_power_of_two();
        m.require("TopK::k", sound, || format!("{} is no power of two", self.k));
        if !sound {
            return;
        }
        m.doc(format!("The {} best candidates, best first.\nLatency {}.", self.k, Self::LATENCY));
        let clear = m.input("clear", UInt(1)).comment("Forget everything.");
        let valid = m.input("valid", UInt(1));
        let acc = m.input("acc", SInt(ACC_BITS));
        let token = m.input("token", UInt(TOKEN_BITS));
        let shift = m.input("shift", UInt(1)).comment("Forget the best.");

        // From its arrival on: compared, decided upon, entering.
        let arrives = valid;
        let valid_1 = arrives.delay_valid("valid_compared", 1);
        let valid_2 = valid_1.delay_valid("valid_decided", 1);
        let valid = valid_2.delay_valid("valid", 1);
        // A copy for every few places, which differ by what reset leaves, so that they stay copies.
        let copies = self.k.div_ceil(PLACES_A_COPY);
        let copy = |n: u32| acc.register(format!("acc_compared_{n}")).reset(n);
        let copies: Vec<Sig<'_>> = (0..copies).map(copy).collect();
        let compared = copies[0];
        let decided = compared.register("acc_decided");
        let (acc_in, token_in) = (decided.register("acc_in"), token.delay("token_in", 3));
        let bits = self.k.ilog2().max(1);
        let places: Vec<Place<'_>> = (0..self.k).map(|i| Place::new(m, i, bits)).collect();
        // Whoever falls out leaves its word to the candidate.
        let at = places[places.len() - 1].at;
        let candidate = Place { held: valid, acc: acc_in, at };
        // How a candidate stands to the two before it: compared a clock ahead of those who hold.
        let to_second = compare(acc, decided).register("to_second");
        let to_first = compare(acc, compared).register("to_first");
        let than_first = greater(to_first).register("than_first");
        let mut ahead: Option<Ahead<'_>> = None;
        let mut enters = vec![];
        for (i, &place) in places.iter().enumerate() {
            let better = m.reg(format!("better_{i}"), UInt(1));
            let order = m.reg(format!("order_{i}"), UInt(ORDER));
            let always = m.lit(UInt(ORDER), 1 << (ORDER - 1));
            let compared = copies[i / PLACES_A_COPY as usize];
            let to_holder = place.held.mux(compare(compared, place.acc), always);
            let to_holder = to_holder.named(format!("to_holder_{i}"));
            let than_holder = greater(order);
            let than_holder = than_holder.named(format!("than_holder_{i}"));
            // Better than the holder ahead, too: that one moves here.
            let (entering, to_entering, than_entering) = match ahead {
                None => (candidate, to_second, than_first),
                Some(ahead) => (
                    candidate.unless(ahead.better, ahead.place),
                    ahead.better.mux(ahead.to_holder, to_second),
                    ahead.better.mux(ahead.than_holder, than_first),
                ),
            };
            let here = (valid & better).named(format!("enters_{i}"));
            order.set(here.mux(to_entering, to_holder));
            better.set(here.mux(than_entering, than_holder));
            m.when(here, || place.take(entering));
            m.when(clear, || place.held.set(0));
            enters.push(here);
            ahead = Some(Ahead { place, better, to_holder, than_holder });
        }

        let best = m.reg("best_held", UInt(1)).reset(0);
        let (best_acc, best_token) =
            (m.reg("best_acc_now", SInt(ACC_BITS)), m.reg("best_token_now", UInt(TOKEN_BITS)));
        m.when(enters[0], || {
            best.set(1);
            best_acc.set(acc_in);
            best_token.set(token_in);
        });
        m.when(shift, || best.set(0));
        if self.k > 1 {
            // The place behind the best, and by the time that it is the best the one behind it: a
            // multiplexer of all places, and the memory, in a clock each.
            let turn = m.reg("turn", UInt(bits)).reset(0).comment("Shifts so far.");
            let behind = places[2..].iter().map(Place::word);
            let none = m.lit(UInt(1 + bits), 0);
            let behind: Vec<Sig<'_>> = behind.chain([none, none]).collect();
            let then = pick(turn, &behind).register("next_then");
            let next = m.reg("next", UInt(1 + bits));
            let shifts = m.reg("shifts", UInt(1)).reset(0).comment("`turn` is not 0.");
            next.set(shifts.mux(next, places[1].word()));
            let kept = m.memory("kept", UInt(ACC_BITS + TOKEN_BITS), self.k as usize);
            let kept = kept.ram_style("distributed").no_rw_check();
            let write = enters[enters.len() - 1];
            kept.write(write, at, acc_in.as_uint().cat(token_in));
            let word = kept.read(!write, next.truncate(bits));
            let held = next.msb().register("next_held");
            m.when(shift, || {
                turn.set(turn.wrapping_add(1));
                shifts.set(1);
                next.set(then);
                best.set(held);
                best_acc.set(word.slice(TOKEN_BITS..word.width()).as_sint());
                best_token.set(word.truncate(TOKEN_BITS));
            });
            m.when(clear, || shifts.set(0));
            m.when(clear, || turn.set(0));
        }
        m.when(clear, || best.set(0));
        m.output("best_valid", UInt(1)).set(best);
        m.output("best_token", UInt(TOKEN_BITS)).set(best_token);
        m.output("best_acc", SInt(ACC_BITS)).set(best_acc);

        m.assume("nothing_inside", !(clear | shift) | !(valid | valid_2 | valid_1 | arrives));
        let shifted = m.reg("shifted", UInt(1)).reset(0);
        shifted.set(shift);
        m.assume("shifts_every_other_clock", !(shift & shifted));
        let read_out = m.reg("read_out", UInt(1)).reset(0);
        m.when(shift, || read_out.set(1));
        m.when(clear, || read_out.set(0));
        m.assume("cleared_before_candidates", !(read_out & arrives));
    }
}

/// Item `index`, of a power of two.
fn pick<'m>(index: Sig<'m>, items: &[Sig<'m>]) -> Sig<'m> {
    if let [one] = items {
        return *one;
    }
    let (low, high) = items.split_at(items.len() / 2);
    index.bit(low.len().ilog2()).mux(pick(index, high), pick(index, low))
}

/// What a place has to know of the one ahead.
#[derive(Clone, Copy)]
struct Ahead<'m> {
    place: Place<'m>,
    better: Sig<'m>,
    to_holder: Sig<'m>,
    than_holder: Sig<'m>,
}

/// A place in the order, or the candidate.
#[derive(Clone, Copy)]
struct Place<'m> {
    held: Sig<'m>,
    acc: Sig<'m>,
    /// The word that accumulator and token are in; another one for each place.
    at: Sig<'m>,
}

impl<'m> Place<'m> {
    fn new(m: &'m Module, i: u32, bits: u32) -> Place<'m> {
        Place {
            held: m.reg(format!("held_{i}"), UInt(1)).reset(0),
            acc: m.reg(format!("acc_{i}"), SInt(ACC_BITS)),
            at: m.reg(format!("at_{i}"), UInt(bits)).reset(i),
        }
    }

    /// Whether anything is held, above the word that it is in.
    fn word(&self) -> Sig<'m> {
        self.held.cat(self.at)
    }

    /// The other one while `condition` holds.
    fn unless(self, condition: Sig<'m>, other: Place<'m>) -> Place<'m> {
        Place {
            held: condition.mux(other.held, self.held),
            acc: condition.mux(other.acc, self.acc),
            at: condition.mux(other.at, self.at),
        }
    }

    fn take(self, from: Place<'m>) {
        self.held.set(from.held);
        self.acc.set(from.acc);
        self.at.set(from.at);
    }
}
