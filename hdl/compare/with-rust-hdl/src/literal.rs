//! A signed signal, compared with a literal (the defect) and with a named constant (the way round).

use rust_hdl::prelude::*;

#[derive(LogicBlock)]
pub struct Below {
    pub a: Signal<In, Signed<8>>,
    pub below: Signal<Out, Bit>,
    pub below_named: Signal<Out, Bit>,
    five: Constant<Signed<8>>,
}

impl Default for Below {
    fn default() -> Self {
        Self {
            a: Default::default(),
            below: Default::default(),
            below_named: Default::default(),
            five: Constant::new(5.into()),
        }
    }
}

impl Logic for Below {
    #[hdl_gen]
    fn update(&mut self) {
        self.below.next = self.a.val() < 5.into();
        self.below_named.next = self.a.val() < self.five.val();
    }
}

/// Prints `a`, `below` and `below_named` for every value of `a`.
pub fn simulate() {
    let mut sim: Simulation<Below> = Simulation::default();
    sim.add_testbench(|mut ep: Sim<Below>| {
        let mut dut = ep.init()?;
        for a in -128i64..128 {
            dut.a.next = a.into();
            dut = ep.wait(1, dut)?;
            println!("{a} {} {}", u8::from(dut.below.val()), u8::from(dut.below_named.val()));
        }
        ep.done(dut)
    });
    let mut below = Below::default();
    below.connect_all();
    sim.run(Box::new(below), 1000).expect("the simulation ends");
}
