use sterna_rtl::{Generate, Module, Sig, UInt, index_width};

/// Read latency of every on-chip memory: its address, the RAM, its output register, the choice of
/// lanes.
pub const READ: usize = 4;

/// A vector on chip: written a few lanes at a time, read a few or many at a time.
///
/// ```text
///  write --------+--> [ part 0: `write` lanes a word ] -> [reg] -+
///                +--> [ part 1 ]                       -> [reg] -+-> choose -> [reg] -> narrow
///  read -> [reg]-+--> [ part n ]                       -> [reg] -+-> choose -> [reg] -> wide
/// ```
///
/// A row has `store` lanes in `store / write` parts. Addresses count groups of lanes: `write_at`
/// groups of `write`, `read_at` groups of `narrow`; a wide read ignores the low bits that lie
/// within its group. A read enables only the parts that it needs, so that the epilogue may write an
/// element while it reads a later one of the same row: no read ever meets a write at one place
/// (asserted), which is what `no_rw_check` needs. Which parts a read needs is worked out in front
/// of its register, so that nothing stands between that and the RAMs.
///
/// Latency [`READ`]. Cost: the parts, and two multiplexers of `narrow` and `wide` lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneMemory {
    /// Bits of a lane.
    pub width: u32,
    /// Lanes in all, a multiple of `store` or not.
    pub lanes: usize,
    /// Lanes of a row.
    pub store: u32,
    /// Lanes of a write.
    pub write: u32,
    /// Lanes of a narrow read, at most those of a write.
    pub narrow: u32,
    /// Lanes of a wide read.
    pub wide: u32,
}

impl LaneMemory {
    fn rows(&self) -> usize {
        self.lanes.div_ceil(self.store as usize).max(2)
    }

    fn row_bits(&self) -> u32 {
        index_width(self.rows())
    }

    /// Bits of `write_at`.
    pub fn write_bits(&self) -> u32 {
        self.row_bits() + (self.store / self.write).trailing_zeros()
    }

    /// Bits of `read_at`.
    pub fn read_bits(&self) -> u32 {
        self.row_bits() + (self.store / self.narrow).trailing_zeros()
    }

    /// The `count` lanes of a row that an address names by its low bits.
    fn choose<'m>(&self, row: Sig<'m>, at: Sig<'m>, count: u32) -> Sig<'m> {
        let groups = self.store / count;
        if groups == 1 {
            return row;
        }
        // `at` counts groups of `narrow` lanes within the row.
        let low = (count / self.narrow).trailing_zeros();
        let index = at.slice(low..low + groups.trailing_zeros());
        let items: Vec<Sig<'m>> = (0..groups).map(|i| row.lane(i, count * self.width)).collect();
        index.select(&items)
    }
}

impl Generate for LaneMemory {
    fn name(&self) -> String {
        let LaneMemory { width, lanes, store, write, narrow, wide } = self;
        format!("lane_memory_w{width}_n{lanes}_s{store}_{write}_to_{narrow}_{wide}")
    }

    fn describe(&self, m: &Module) {
        let powers = [self.store, self.write, self.narrow, self.wide];
        let sound = powers.iter().all(|n| n.is_power_of_two())
            && self.narrow <= self.write
            && self.narrow <= self.wide
            && self.wide <= self.store
            && self.write <= self.store;
        m.require("LaneMemory", sound, || format!("{self:?}: lanes do not divide one another"));
        if !sound {
            return;
        }
        m.doc(format!(
            "{} lanes of {} bits, {} a row: written by {}, read by {} or {}.\nLatency {READ}.",
            self.lanes, self.width, self.store, self.write, self.narrow, self.wide
        ));
        let write = m.input("write", UInt(1));
        let write_at = m.input("write_at", UInt(self.write_bits()));
        let data = m.input("data", UInt(self.write * self.width));
        let read_narrow = m.input("read_narrow", UInt(1));
        let read_wide = m.input("read_wide", UInt(1));
        let read_at = m.input("read_at", UInt(self.read_bits()));

        let parts = self.store / self.write;
        let part_bits = parts.trailing_zeros();
        let within = (self.store / self.narrow).trailing_zeros();
        let (to_row, from_row) = (
            write_at.slice(part_bits..self.write_bits()).named("to_row"),
            read_at.slice(within..self.read_bits()).named("from_row"),
        );
        let lane_group = (self.write / self.narrow).trailing_zeros();
        let from_row = from_row.register("row_now");
        let mut row = vec![];
        for i in 0..parts {
            let (mut to, mut of) = (write, read_narrow | read_wide);
            if parts > 1 {
                to = to & write_at.slice(0..part_bits).eq(i);
                // The part of a narrow read, and the parts of a wide one.
                let part = read_at.slice(lane_group..within);
                let covers = (self.wide / self.write).max(1).trailing_zeros();
                let wide = match covers == part_bits {
                    true => m.lit(UInt(1), 1),
                    false => part.slice(covers..part_bits).eq(i >> covers),
                };
                of = (read_narrow & part.eq(i)) | (read_wide & wide);
            }
            let memory = m.memory(format!("part_{i}"), data.ty(), self.rows()).no_rw_check();
            memory.write(to.named(format!("write_{i}")), to_row, data);
            let of = of.named(format!("read_{i}")).register(format!("reads_{i}")).reset(0);
            row.push(memory.read_registered(of, from_row));
        }
        row.reverse();
        let row = m.cat(&row).named("row");
        let at = read_at.delay("at", READ - 1);
        for (name, count) in [("narrow", self.narrow), ("wide", self.wide)] {
            let chosen = self.choose(row, at, count).register(format!("{name}_chosen"));
            m.output(name, UInt(count * self.width)).set(chosen);
        }
    }
}
