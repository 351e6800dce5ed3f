//! A simulated card and the golden model side by side, through one sequence of commands.

mod batch;
mod interrupt;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sterna_firmware::device::{Counters, Device, Head, Step, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_firmware::{FirmwareError, Result};
use sterna_hdl::driver::{Card, Settings, Transport};
use sterna_hdl::registers as regs;
use sterna_rtl::Design;

use crate::card::{CardOptions, SimCard, Window};
use crate::error::SimError;
use crate::lockstep::{Checker, Lockstep, Pass, Report};
use crate::memory::Stalls;
use crate::timing::{Ideal, Timing, Tokens, differences};

pub use batch::Batch;
pub use interrupt::{Interrupt, Under};

/// Both, with everything compared that can be.
pub struct Session {
    golden: Golden,
    slots: usize,
    top_k: u32,
    card: Card<SimCard>,
    /// The token that enters next: golden's best.
    token: u32,
    counters: Counters,
    seconds: Duration,
    /// Clocks in `seconds`.
    clocks: u64,
    timing: Timing,
    /// The memory, if it never stalls.
    ideal: Option<Ideal>,
    /// Passes that the next command makes.
    passes: Vec<Tokens>,
    predicted: Counters,
    /// Clocks of a pass of the last run.
    pass_clocks: u64,
    /// Clamped values that golden and the core had counted when the core was last reset.
    clamped: [u32; 2],
}

impl Session {
    /// Loads a model on both. The first token is the model's begin token, or 0.
    ///
    /// # Errors
    /// Those of the simulation and of the driver.
    pub fn new(model: &Arc<Model>, geometry: &Geometry, options: &CardOptions) -> Result<Session> {
        Session::over(SimCard::new(geometry, options)?, model, geometry, options)
    }

    /// The same with a design in the place of the core: one that was damaged, for instance.
    ///
    /// # Errors
    /// As [`Session::new`].
    pub fn of(
        design: &Design,
        model: &Arc<Model>,
        geometry: &Geometry,
        options: &CardOptions,
    ) -> Result<Session> {
        Session::over(SimCard::of(design, geometry.bus, options)?, model, geometry, options)
    }

    /// The same on a card that is there already.
    ///
    /// # Errors
    /// As [`Session::new`].
    pub fn over(
        mut sim: SimCard,
        model: &Arc<Model>,
        geometry: &Geometry,
        options: &CardOptions,
    ) -> Result<Session> {
        sim.watch(geometry)?;
        let ideal = options.memory.stalls == Stalls::None;
        Ok(Session {
            golden: Golden::new(Arc::clone(model), geometry.slots as usize)?,
            slots: geometry.slots as usize,
            top_k: geometry.top_k,
            card: Card::open(sim, "sim", Arc::clone(model), &Settings::default())?,
            token: model.description().bos.unwrap_or(0),
            counters: Counters::default(),
            seconds: Duration::ZERO,
            clocks: 0,
            timing: Timing::new(geometry, &model.shape())?,
            ideal: ideal.then(|| Ideal::new(options.memory.latency)),
            passes: vec![],
            predicted: Counters::default(),
            pass_clocks: 0,
            clamped: [0; 2],
        })
    }

    /// The card.
    pub fn card(&mut self) -> &mut Card<SimCard> {
        &mut self.card
    }

    /// The golden model.
    pub fn golden(&mut self) -> &mut Golden {
        &mut self.golden
    }

    /// Chooses the token that enters next.
    pub fn set_token(&mut self, token: u32) {
        self.token = token;
    }

    /// The token that enters next.
    pub fn token(&self) -> u32 {
        self.token
    }

    /// Asks for a waveform.
    pub fn record(&mut self, window: Window) {
        self.card.transport().record(window);
    }

    /// What was compared so far.
    pub fn report(&mut self) -> Report {
        self.checker().report().clone()
    }

    /// Counters of all runs together.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The same as the timing model has them.
    pub fn predicted(&self) -> Counters {
        self.predicted
    }

    /// Simulated clocks a second, while the card worked.
    pub fn clocks_per_second(&self) -> f64 {
        self.clocks as f64 / self.seconds.as_secs_f64().max(1e-9)
    }

    /// Clocks so far.
    pub fn clock(&mut self) -> u64 {
        self.card.transport().clocks()
    }

    /// One pass; with a head, its best token enters next.
    ///
    /// # Errors
    /// Those of golden and of the driver.
    pub fn pass(&mut self, want: Want) -> Result<()> {
        let step = Step { slot: 0, token: self.token, want };
        let (pass, expected) = Pass::observe(&mut self.golden, step)?;
        let all = self.card.reads_all(step.want);
        self.expect(pass, step.token, if all { Want::Logits } else { step.want })?;
        let got = self.work(|card| card.pass(&[step]))?;
        let clock = self.clock();
        for head in got {
            heads(self.checker(), &expected, &head, clock);
        }
        self.saturations();
        if let Some(best) = expected.top.first() {
            self.token = best.token;
            self.last_token()?;
        }
        Ok(())
    }

    /// What was clamped in all passes so far.
    fn saturations(&mut self) {
        let count = |device: &dyn Device| i64::try_from(device.saturations()).ok();
        let (expected, got) = (count(&self.golden), count(&self.card));
        let clock = self.clock();
        self.checker().number("saturations", 0, expected, got, clock);
    }

    /// The core's register says which token a run chose last; of several slots each has its own.
    fn last_token(&mut self) -> Result<()> {
        if self.slots == 1 {
            let got = self.card.transport().read_register(regs::LAST_TOKEN.offset)?;
            let (expected, clock) = (self.token, self.clock());
            self.checker().number("last token", 0, Some(expected.into()), Some(got.into()), clock);
        }
        Ok(())
    }

    /// Up to `count` passes by the core's own loop, to the first of `stops`.
    ///
    /// # Errors
    /// As [`Session::pass`].
    pub fn run(&mut self, count: usize, stops: &[u32]) -> Result<()> {
        let first = self.token;
        let mut expected = vec![];
        while expected.len() < count {
            let step = Step { slot: 0, token: self.token, want: Want::Top };
            let (pass, head) = Pass::observe(&mut self.golden, step)?;
            self.expect(pass, step.token, step.want)?;
            self.token = head.top.first().map_or(0, |best| best.token);
            expected.push(head);
            if stops.contains(&self.token) {
                break;
            }
        }
        let mut got = vec![];
        self.work(|card| {
            card.generate(0, first, count, stops, &mut |head| {
                got.push(head);
                ControlFlow::Continue(())
            })
        })?;
        let clock = self.clock();
        let checker = self.checker();
        checker.number("passes", 0, number(expected.len()), number(got.len()), clock);
        for (expected, got) in expected.iter().zip(&got) {
            heads(checker, expected, got, clock);
        }
        self.saturations();
        self.last_token()
    }

    /// Compares the states, and has the core load the one that it saved.
    ///
    /// # Errors
    /// As [`Session::pass`].
    pub fn save_and_load(&mut self) -> Result<()> {
        let state = self.state()?;
        Ok(self.card.set_state(0, &state)?)
    }

    /// Compares the states; a last step of a session.
    ///
    /// # Errors
    /// Faults of saving the state.
    pub fn state(&mut self) -> Result<Vec<i32>> {
        let got = self.card.state(0)?;
        let clock = self.clock();
        let expected = self.golden.state(0).to_vec();
        let checker = self.checker();
        for (n, (&expected, &got)) in expected.iter().zip(&got).enumerate() {
            checker.number("final state", n, Some(expected.into()), Some(got.into()), clock);
        }
        checker.compared();
        Ok(got)
    }

    /// Lets clocks pass without a command.
    ///
    /// # Errors
    /// Those of the simulation.
    pub fn idle(&mut self, clocks: u64) -> Result<()> {
        for _ in 0..clocks {
            self.card.transport().step()?;
        }
        Ok(())
    }

    fn expect(&mut self, pass: Pass, token: u32, want: Want) -> Result<()> {
        self.passes.push((vec![Some(token)], want));
        self.lockstep().expect(vec![Some(pass)]);
        Ok(())
    }

    fn checker(&mut self) -> &mut Checker {
        self.lockstep().checker()
    }

    fn lockstep(&mut self) -> &mut Lockstep {
        self.card.transport().lockstep().expect("watched since it was made")
    }

    /// Has the card do something, and adds up what that took.
    fn work<R>(&mut self, what: impl FnOnce(&mut Card<SimCard>) -> Result<R>) -> Result<R> {
        self.card.transport().forget();
        let (clocks, begin) = (self.clock(), Instant::now());
        let result = what(&mut self.card);
        self.seconds += begin.elapsed();
        let clock = self.clock();
        self.clocks += clock - clocks;
        if let Some(lockstep) = self.card.transport().lockstep() {
            lockstep.settle(clock);
        }
        let result = result?;
        let counters = self.card.counters()?;
        self.counters += counters;
        self.pass_clocks = counters.cycles / self.passes.len().max(1) as u64;
        let sum = counters.beats + counters.starved + counters.blocked + counters.idle;
        let (cycles, sum) = (Some(counters.cycles as i64), Some(sum as i64));
        self.checker().number("counters", 0, cycles, sum, clock);
        self.compare_clocks(counters, clock);
        Ok(result)
    }

    /// Compares every clock of a command's passes with the timing model's: given the arrival of
    /// each beat, and where the memory never stalls, given its latency, too.
    fn compare_clocks(&mut self, counters: Counters, clock: u64) {
        let passes = std::mem::take(&mut self.passes);
        let Some((seen, traffic)) = self.card.transport().happened() else { return };
        // An image that streams through a small memory waits for the host as well.
        let memory = self.ideal.filter(|_| self.card.streamed().is_none());
        for ideal in std::iter::once(None).chain(memory.map(Some)) {
            let (predicted, found) = differences(&self.timing, &passes, &seen, &traffic, ideal);
            let first = self.checker().passes().saturating_sub(passes.len() as u64);
            for difference in &found {
                self.checker().clock(first, difference);
            }
            let pairs = fields(predicted).into_iter().zip(fields(counters)).enumerate();
            for (n, (expected, got)) in pairs {
                let (expected, got) = (Some(expected as i64), Some(got as i64));
                self.checker().number("predicted counters", n, expected, got, clock);
            }
            if ideal == memory {
                self.predicted += predicted;
            }
        }
    }
}

fn fields(of: Counters) -> [u64; 5] {
    [of.cycles, of.beats, of.starved, of.blocked, of.idle]
}

fn number(n: usize) -> Option<i64> {
    i64::try_from(n).ok()
}

/// Compares what the heads say: tokens, and the bits of the logits.
fn heads(checker: &mut Checker, expected: &Head, got: &Head, clock: u64) {
    // The core's own loop reports as many candidates as the core has.
    let count = if got.top.is_empty() { expected.top.len() } else { got.top.len() };
    let bits = |logit: f32| Some(i64::from((logit + 0.0).to_bits()));
    for n in 0..count.max(expected.top.len().min(1)) {
        let (expected, got) = (expected.top.get(n), got.top.get(n));
        let token = |c: Option<&sterna_firmware::device::Candidate>| c.map(|c| c.token.into());
        checker.number("top", n, token(expected), token(got), clock);
        let logit = |c: Option<&sterna_firmware::device::Candidate>| c.and_then(|c| bits(c.logit));
        checker.number("logits", n, logit(expected), logit(got), clock);
    }
    if !expected.logits.is_empty() || !got.logits.is_empty() {
        for n in 0..expected.logits.len().max(got.logits.len()) {
            let logit = |head: &Head| head.logits.get(n).and_then(|&logit| bits(logit));
            checker.number("logits", n, logit(expected), logit(got), clock);
        }
        checker.compared();
    }
    if !expected.top.is_empty() {
        checker.compared();
    }
}

impl From<SimError> for FirmwareError {
    fn from(error: SimError) -> FirmwareError {
        FirmwareError::Device(Box::new(error))
    }
}
