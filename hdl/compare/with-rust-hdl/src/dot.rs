//! The ternary dot product in `rust-hdl`.
//!
//! A lane is `+x`, `-x` or 0 by its two weight bits (bit 0: not zero, bit 1: negative). Products
//! and every level of the tree are registered and grow by a bit; eight clocks from `x` to `acc`.

use rust_hdl::prelude::*;

/// `XS` and `WS` are the bits of all activations and weights, `X` those of one activation; `P` is
/// a product, `S1` to `S6` are the sums, each one bit wider. Const generics cannot compute them.
#[derive(LogicBlock)]
pub struct TernaryDot<
    const XS: usize,
    const WS: usize,
    const X: usize,
    const P: usize,
    const S1: usize,
    const S2: usize,
    const S3: usize,
    const S4: usize,
    const S5: usize,
    const S6: usize,
    const ACC: usize,
> {
    pub clk: Signal<In, Clock>,
    pub rst: Signal<In, Bit>,
    pub valid: Signal<In, Bit>,
    pub clear: Signal<In, Bit>,
    pub x: Signal<In, Bits<XS>>,
    pub w: Signal<In, Bits<WS>>,
    pub acc: Signal<Out, Signed<ACC>>,
    pub acc_valid: Signal<Out, Bit>,
    x_bits: Constant<Bits<32>>,
    /// `zero - x` rather than `-x`, for which Yosys 0.70 spends a LUT more a bit.
    zero: Constant<Signed<P>>,
    product: [DFF<Signed<P>>; 64],
    sum1: [DFF<Signed<S1>>; 32],
    sum2: [DFF<Signed<S2>>; 16],
    sum3: [DFF<Signed<S3>>; 8],
    sum4: [DFF<Signed<S4>>; 4],
    sum5: [DFF<Signed<S5>>; 2],
    sum6: DFF<Signed<S6>>,
    valid_at: [DFF<Bit>; 8],
    clear_at: [DFF<Bit>; 7],
    total: DFF<Signed<ACC>>,
}

impl<
        const XS: usize,
        const WS: usize,
        const X: usize,
        const P: usize,
        const S1: usize,
        const S2: usize,
        const S3: usize,
        const S4: usize,
        const S5: usize,
        const S6: usize,
        const ACC: usize,
    > Default for TernaryDot<XS, WS, X, P, S1, S2, S3, S4, S5, S6, ACC>
{
    fn default() -> Self {
        Self {
            clk: Default::default(),
            rst: Default::default(),
            valid: Default::default(),
            clear: Default::default(),
            x: Default::default(),
            w: Default::default(),
            acc: Default::default(),
            acc_valid: Default::default(),
            x_bits: Constant::new(X.to_bits()),
            zero: Constant::new(0.into()),
            product: array_init::array_init(|_| Default::default()),
            sum1: array_init::array_init(|_| Default::default()),
            sum2: Default::default(),
            sum3: Default::default(),
            sum4: Default::default(),
            sum5: Default::default(),
            sum6: Default::default(),
            valid_at: Default::default(),
            clear_at: Default::default(),
            total: Default::default(),
        }
    }
}

impl<
        const XS: usize,
        const WS: usize,
        const X: usize,
        const P: usize,
        const S1: usize,
        const S2: usize,
        const S3: usize,
        const S4: usize,
        const S5: usize,
        const S6: usize,
        const ACC: usize,
    > Logic for TernaryDot<XS, WS, X, P, S1, S2, S3, S4, S5, S6, ACC>
{
    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..64 {
            self.product[i].clock.next = self.clk.val();
            if !self.w.val().get_bit(2 * i) {
                self.product[i].d.next = self.zero.val();
            } else if self.w.val().get_bit(2 * i + 1) {
                self.product[i].d.next = self.zero.val()
                    - signed_bit_cast::<P, X>(signed_cast(
                        self.x.val().get_bits::<X>(i * self.x_bits.val().index()),
                    ));
            } else {
                self.product[i].d.next = signed_bit_cast::<P, X>(signed_cast(
                    self.x.val().get_bits::<X>(i * self.x_bits.val().index()),
                ));
            }
        }
        for i in 0..32 {
            self.sum1[i].clock.next = self.clk.val();
            self.sum1[i].d.next = signed_bit_cast::<S1, P>(self.product[2 * i].q.val())
                + signed_bit_cast::<S1, P>(self.product[2 * i + 1].q.val());
        }
        for i in 0..16 {
            self.sum2[i].clock.next = self.clk.val();
            self.sum2[i].d.next = signed_bit_cast::<S2, S1>(self.sum1[2 * i].q.val())
                + signed_bit_cast::<S2, S1>(self.sum1[2 * i + 1].q.val());
        }
        for i in 0..8 {
            self.sum3[i].clock.next = self.clk.val();
            self.sum3[i].d.next = signed_bit_cast::<S3, S2>(self.sum2[2 * i].q.val())
                + signed_bit_cast::<S3, S2>(self.sum2[2 * i + 1].q.val());
        }
        for i in 0..4 {
            self.sum4[i].clock.next = self.clk.val();
            self.sum4[i].d.next = signed_bit_cast::<S4, S3>(self.sum3[2 * i].q.val())
                + signed_bit_cast::<S4, S3>(self.sum3[2 * i + 1].q.val());
        }
        for i in 0..2 {
            self.sum5[i].clock.next = self.clk.val();
            self.sum5[i].d.next = signed_bit_cast::<S5, S4>(self.sum4[2 * i].q.val())
                + signed_bit_cast::<S5, S4>(self.sum4[2 * i + 1].q.val());
        }
        dff_setup!(self, clk, sum6, total);
        self.sum6.d.next = signed_bit_cast::<S6, S5>(self.sum5[0].q.val())
            + signed_bit_cast::<S6, S5>(self.sum5[1].q.val());
        for i in 0..8 {
            self.valid_at[i].clock.next = self.clk.val();
        }
        self.valid_at[0].d.next = self.valid.val();
        for i in 1..8 {
            self.valid_at[i].d.next = self.valid_at[i - 1].q.val();
        }
        for i in 0..7 {
            self.clear_at[i].clock.next = self.clk.val();
        }
        self.clear_at[0].d.next = self.clear.val();
        for i in 1..7 {
            self.clear_at[i].d.next = self.clear_at[i - 1].q.val();
        }
        if self.rst.val() {
            for i in 0..8 {
                self.valid_at[i].d.next = false;
            }
            self.total.d.next = 0.into();
        } else if self.valid_at[6].q.val() {
            if self.clear_at[6].q.val() {
                self.total.d.next = signed_bit_cast::<ACC, S6>(self.sum6.q.val());
            } else {
                self.total.d.next =
                    self.total.q.val() + signed_bit_cast::<ACC, S6>(self.sum6.q.val());
            }
        }
        self.acc.next = self.total.q.val();
        self.acc_valid.next = self.valid_at[7].q.val();
    }
}
