use crate::{Bits, Generate, Module, Sig, UInt};

/// CRC-32C (Castagnoli, reflected, initial and final inversion) of a beat a clock.
///
/// ```text
///  data -> [ matrix ] -> [reg] --+
///                                xor -> [state] -> ~ -> crc
///            state -> [ matrix ]-+  ^
///                ^__________________|     `first` puts ones in the state's place
/// ```
///
/// ```text
///  clk    _/1\_/2\_/3\_/4\_
///  valid  1   1   0
///  first  1   0
///  data   A   B
///  crc    -   -   A   AB         each the checksum from `first` up to that beat
/// ```
///
/// A CRC is linear over bits, so both matrices come from running the bit-serial definition on single
/// bits. Only 32 bits of it are a loop; the beat's part has a clock of its own.
/// Latency two clocks. Cost about `32 * width / 2` two-input exclusive ors before sharing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crc32c {
    /// Bits of a beat, a multiple of 8; the lowest byte is the first.
    pub width: u32,
}

/// The polynomial, bit-reversed.
pub const POLYNOMIAL: u32 = 0x82f6_3b78;

/// One bit through the serial register.
fn serial(state: u32, bit: bool) -> u32 {
    let out = state ^ u32::from(bit);
    if out & 1 == 1 { out >> 1 ^ POLYNOMIAL } else { out >> 1 }
}

impl Crc32c {
    /// What input bit `i` adds to the state after the beat.
    fn data_column(&self, i: u32) -> u32 {
        (0..self.width).fold(0, |state, n| serial(state, n == i))
    }

    /// What bit `i` of the old state adds to the state after the beat.
    fn state_column(&self, i: u32) -> u32 {
        (0..self.width).fold(1 << i, |state, _| serial(state, false))
    }

    /// The product of a matrix, given by columns, and a vector of bits.
    fn product<'m>(m: &'m Module, columns: &[u32], vector: Sig<'m>) -> Sig<'m> {
        let row = |bit: u32| {
            let limbs: Vec<u64> = columns
                .chunks(64)
                .map(|chunk| {
                    let set =
                        chunk.iter().enumerate().filter(|(_, column)| *column >> bit & 1 == 1);
                    set.fold(0, |limb, (i, _)| limb | 1 << i)
                })
                .collect();
            (vector & Bits::from_limbs(vector.width(), &limbs)).parity()
        };
        m.cat(&(0..32).rev().map(row).collect::<Vec<_>>())
    }
}

impl Generate for Crc32c {
    fn name(&self) -> String {
        format!("crc32c_w{}", self.width)
    }

    fn describe(&self, m: &Module) {
        m.require("Crc32c::width", self.width.is_multiple_of(8), || {
            format!("{} is not a multiple of 8", self.width)
        });
        m.doc(format!("CRC-32C of {} bits a clock.\nLatency 2.", self.width));
        let valid = m.input("valid", UInt(1));
        let first = m.input("first", UInt(1)).comment("The beat begins a new checksum.");
        let data = m.input("data", UInt(self.width));

        let columns: Vec<u32> = (0..self.width).map(|i| self.data_column(i)).collect();
        let part = Crc32c::product(m, &columns, data).register("part");
        let (valid_1, first_1) = (m.reg("valid_1", UInt(1)).reset(0), first.register("first_1"));
        valid_1.set(valid);

        let state = m.reg("state", UInt(32));
        let previous = first_1.mux(m.lit(UInt(32), u32::MAX), state).named("previous");
        let columns: Vec<u32> = (0..32).map(|i| self.state_column(i)).collect();
        m.when(valid_1, || state.set(Crc32c::product(m, &columns, previous) ^ part));
        m.output("crc", UInt(32)).set(!state);
        let valid_2 = m.reg("valid_2", UInt(1)).reset(0);
        valid_2.set(valid_1);
        m.output("crc_valid", UInt(1)).set(valid_2);
    }
}
