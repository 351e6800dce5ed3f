//! Random modules, for differential tests: the same seed gives the same module everywhere.
//!
//! Every operator, registers with and without reset and conditions, a memory with byte enables, and
//! widths that favour the edges of machine words. All state is known after [`RESET_CLOCKS`] clocks
//! of reset, so simulators that start from unknown values agree with those that do not.

use crate::component::Design;
use crate::module::Module;
use crate::sig::Sig;
use crate::types::Type::{self, SInt, UInt};
use crate::{Bits, RtlError};

/// Clocks of reset after which no unknown value is left.
pub const RESET_CLOCKS: u32 = 8;

/// SplitMix64: small, seedable, good enough to choose test cases.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator that always says the same for the same seed.
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is at least 1.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next_u64() % n
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// A value for tests: zero, one, all ones, most negative, most positive, small or anything.
    pub fn bits(&mut self, width: u32) -> Bits {
        let top = Bits::from_u128(width, 1).shift_left(width - 1);
        match self.below(10) {
            0 => Bits::zero(width),
            1 => Bits::from_u128(width, 1),
            2 => Bits::ones(width),
            3 => top,
            4 => top.not(),
            5 => Bits::from_u128(width, u128::from(self.below(2 * u64::from(width) + 2))),
            _ => {
                let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|_| self.next_u64()).collect();
                Bits::from_limbs(width, &limbs)
            }
        }
    }

    fn width(&mut self, most: u32) -> u32 {
        const EDGES: [u32; 16] = [1, 1, 2, 3, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 1024];
        let width = match self.below(3) {
            0 => EDGES[self.below(16) as usize],
            1 => 1 + self.below(u64::from(most)) as u32,
            _ => 1 + self.below(20) as u32,
        };
        width.min(most)
    }

    fn ty(&mut self, most: u32) -> Type {
        let width = self.width(most);
        if self.one_in(2) { UInt(width) } else { SInt(width) }
    }
}

/// A module `random_<seed>` of some 30 operators on signals of up to `most` bits.
pub fn design(seed: u64, most: u32) -> Result<Design, RtlError> {
    let m = Module::new(format!("random_{seed}"));
    let mut g = Generator { rng: Rng::new(seed), most, pool: vec![], m: &m };
    for i in 0..2 + g.rng.below(4) {
        let ty = g.rng.ty(most);
        g.pool.push(m.input(format!("i{i}"), ty));
    }
    // Registers exist before what drives them, so that state feeds back.
    let regs: Vec<Sig<'_>> = (0..g.rng.below(4))
        .map(|i| {
            let ty = g.rng.ty(most);
            m.reg(format!("r{i}"), ty).reset(g.rng.bits(ty.width()))
        })
        .collect();
    g.pool.extend(&regs);
    for step in 0..5 + g.rng.below(40) {
        let made = g.operator();
        let made = if g.rng.one_in(4) { made.named("n") } else { made };
        let made = if g.rng.one_in(12) { made.register(format!("p{step}")) } else { made };
        if g.rng.one_in(30) {
            g.memory(step);
        }
        g.pool.push(made);
    }
    for reg in regs {
        g.drive(reg);
    }
    for i in 0..1 + g.rng.below(4) {
        let from = g.any();
        m.output(format!("o{i}"), from.ty()).set(from);
    }
    let wire = m.output("last", UInt(5));
    g.drive(wire);
    m.build()
}

struct Generator<'m> {
    rng: Rng,
    most: u32,
    pool: Vec<Sig<'m>>,
    m: &'m Module,
}

impl<'m> Generator<'m> {
    /// A signal, mostly a recent one.
    fn any(&mut self) -> Sig<'m> {
        let n = self.pool.len() as u64;
        let back = if self.rng.one_in(2) { self.rng.below(n.min(4)) } else { self.rng.below(n) };
        self.pool[(n - 1 - back) as usize]
    }

    /// A signal, or now and then a literal, of the given signedness.
    fn signed_as(&mut self, like: Sig<'m>) -> Sig<'m> {
        let sig = self.any();
        if self.rng.one_in(6) {
            return self.m.lit(like.ty(), self.rng.bits(like.width()));
        }
        match (like.ty().is_signed(), sig.ty().is_signed()) {
            (true, false) if self.rng.one_in(2) => sig.to_sint(),
            (true, false) => sig.as_sint(),
            (false, true) => sig.as_uint(),
            _ => sig,
        }
    }

    /// A signal of exactly this type.
    fn typed(&mut self, ty: Type) -> Sig<'m> {
        let sig = self.any();
        let sig = if sig.width() > ty.width() && self.rng.one_in(2) {
            sig.saturate(sig.ty().with_width(ty.width()))
        } else if sig.width() > ty.width() {
            sig.truncate(ty.width())
        } else {
            sig.extend(ty.width())
        };
        if ty.is_signed() { sig.as_sint() } else { sig.as_uint() }
    }

    fn truth(&mut self) -> Sig<'m> {
        let sig = self.any();
        match self.rng.below(3) {
            0 => sig.any(),
            1 => sig.parity(),
            _ => sig.bit(self.rng.below(u64::from(sig.width())) as u32),
        }
    }

    fn drive(&mut self, target: Sig<'m>) {
        let ty = target.ty();
        let (first, second, third) = (self.typed(ty), self.typed(ty), self.typed(ty));
        let (a, b) = (self.truth(), self.truth());
        target.set(first);
        let when = self.m.when(a, || {
            target.set(second);
        });
        if self.rng.one_in(2) {
            when.elsewhen(b, || target.set(third)).otherwise(|| {
                self.m.when(b, || target.set(second));
            });
        }
    }

    fn memory(&mut self, step: u64) {
        let (width, depth) =
            (8 * (1 + self.rng.below(5) as u32), 1usize << (1 + self.rng.below(5)));
        let ty = UInt(width);
        let words: Vec<Bits> = (0..depth).map(|_| self.rng.bits(width)).collect();
        let mem = self.m.memory(format!("m{step}"), ty, depth).init(|i| words[i].clone());
        let address = UInt(mem.address_width());
        let (to, from, data) = (self.typed(address), self.typed(address), self.typed(ty));
        let (write, read) = (self.truth() & !self.m.rst(), self.truth() | self.m.rst());
        if self.rng.one_in(2) {
            let bytes = self.typed(UInt(width / 8));
            mem.write_bytes(write, to, data, bytes);
        } else {
            mem.write(write, to, data);
        }
        let out =
            if self.rng.one_in(2) { mem.read(read, from) } else { mem.read_registered(read, from) };
        self.pool.push(out);
    }

    /// A random operator on random signals, no wider than allowed.
    fn operator(&mut self) -> Sig<'m> {
        let a = self.any();
        let b = self.signed_as(a);
        let width = u64::from(a.width());
        let made = match self.rng.below(28) {
            0 => a + b,
            1 => a - b,
            2 if a.width() + b.width() <= self.most.min(200) => a * b,
            3 => a & b,
            4 => a | b,
            5 => a ^ b,
            6 => !a,
            7 => -a,
            8 => a.eq(b),
            9 => a.lt(b),
            10 => a.le(b),
            11 => a.gt(b),
            12 => a.ge(b),
            13 => self.truth().mux(a, b),
            14 => self.any().cat(a),
            15 => {
                let lo = self.rng.below(width) as u32;
                a.slice(lo..lo + 1 + self.rng.below(width - u64::from(lo)) as u32)
            }
            16 => {
                let at = self.any().as_uint();
                a.slice_at(at, 1 + self.rng.below(width) as u32)
            }
            17 => a << self.rng.below(9) as u32,
            18 => a >> self.rng.below(width + 3) as u32,
            19 => a >> self.any().as_uint(),
            20 => a.wrapping_shl(self.any().as_uint()),
            21 => {
                let by = self.any().as_uint();
                a << by.truncate(by.width().min(3))
            }
            22 => a.round_half_away_shift(self.rng.below(width + 3) as u32),
            23 => a.round_half_up_shift(self.rng.below(width + 3) as u32),
            24 => a.saturate(self.rng.ty(self.most)),
            25 => a.wrapping_sub(b),
            26 => {
                let on = a.as_uint().truncate(a.width().min(3));
                let other = self.typed(b.ty());
                let mut switch = on.switch(b);
                for key in 0..1u64 << on.width() {
                    if self.rng.one_in(2) {
                        let value = self.m.lit(b.ty(), self.rng.bits(b.width()));
                        switch = switch.case(key, if self.rng.one_in(2) { other } else { value });
                    }
                }
                switch.end()
            }
            _ => self.truth().mux(a.all(), a.any()),
        };
        if made.width() > self.most { made.truncate(self.most) } else { made }
    }
}
