//! Registers and memory behind the link, as slow as buses may be, and strict.

use std::collections::{BTreeMap, VecDeque};

use sterna_rtl::Interpreter;
use sterna_rtl::random::Rng;

/// Bytes of the memory: what lies behind answers with an error.
pub const MEMORY: u64 = (1 << 40) - (1 << 16);
/// From here on registers answer with an error.
pub const NO_REGISTER: u64 = 0x800;

/// An access to a register: its address, and what was written.
pub type Accessed = (u64, Option<u64>);

/// Offers of a master that have to stay as they are: what each channel showed.
type Shown = BTreeMap<&'static str, Vec<u64>>;

/// A burst of so many beats.
struct Burst {
    address: u64,
    left: u64,
    fails: bool,
}

/// What is on the two buses.
pub struct Buses {
    rng: Rng,
    /// Pauses once in so many clocks; 0 for never, 1 for nearly always.
    pub idle: u64,
    shown: Shown,
    /// Registers, and what was done to them, in order.
    pub registers: BTreeMap<u64, u64>,
    pub accessed: Vec<Accessed>,
    write: [Option<u64>; 2],
    read: Option<u64>,
    /// Words of memory by address; others are their address, inverted.
    pub memory: BTreeMap<u64, u64>,
    to_read: VecDeque<Burst>,
    to_write: VecDeque<Burst>,
    answers: VecDeque<bool>,
    /// Of ar, aw, w of either bus: whether an offer is taken. Of r and b: whether one is made.
    open: [bool; 10],
}

/// Whether a beat fails.
pub fn fails(address: u64) -> bool {
    address >= MEMORY || address & 0xff8 == 0x7f8
}

/// How a register answers: with OKAY, or with either of the errors.
fn response_of(address: u64) -> u64 {
    if address < NO_REGISTER { 0 } else { 2 | address >> 2 & 1 }
}

/// What memory holds where nothing was written.
pub fn blank(address: u64) -> u64 {
    !address
}

const CHANNELS: [(&str, &[&str]); 5] = [
    ("m_lite_ar", &["addr", "prot"]),
    ("m_lite_aw", &["addr", "prot"]),
    ("m_lite_w", &["data", "strb"]),
    ("m_axi_ar", &["addr", "len", "id", "size", "burst", "lock", "cache", "prot", "qos"]),
    ("m_axi_aw", &["addr", "len", "id", "size", "burst", "lock", "cache", "prot", "qos"]),
];

impl Buses {
    pub fn new(seed: u64) -> Buses {
        Buses {
            rng: Rng::new(seed),
            idle: 3,
            shown: Shown::new(),
            registers: BTreeMap::new(),
            accessed: vec![],
            write: [None; 2],
            read: None,
            memory: BTreeMap::new(),
            to_read: VecDeque::new(),
            to_write: VecDeque::new(),
            answers: VecDeque::new(),
            open: [false; 10],
        }
    }

    /// What a register holds.
    pub fn register(&self, address: u64) -> u64 {
        self.registers.get(&address).copied().unwrap_or(address << 20 | 0x7e7d)
    }

    /// What a word of memory is.
    pub fn word(&self, address: u64) -> u64 {
        self.memory.get(&address).copied().unwrap_or(blank(address))
    }

    /// Forgets what is under way, as the link does at a reset.
    pub fn restart(&mut self) {
        self.shown.clear();
        (self.write, self.read) = ([None; 2], None);
        self.to_read.clear();
        self.to_write.clear();
        self.answers.clear();
        self.open = [false; 10];
    }

    fn goes(&mut self) -> bool {
        match self.idle {
            0 => true,
            1 => self.rng.one_in(6),
            idle => !self.rng.one_in(idle),
        }
    }

    /// Sets the inputs; what is not valid is rubbish.
    pub fn drive(&mut self, sim: &mut Interpreter) {
        for n in 0..5 {
            self.open[n] = self.goes();
        }
        // An offer that was made stays.
        let there = [
            self.read.is_some(),
            self.write.iter().all(Option::is_some),
            !self.to_read.is_empty(),
            !self.answers.is_empty(),
        ];
        for (n, there) in there.into_iter().enumerate() {
            self.open[5 + n] = there && (self.open[5 + n] || self.goes());
        }
        let [ar, aw, w, axi_ar, axi_aw, r, b, axi_r, axi_b, _] = self.open;
        sim.poke("m_lite_arready", ar && self.read.is_none());
        sim.poke("m_lite_awready", aw && self.write[0].is_none());
        sim.poke("m_lite_wready", w && self.write[1].is_none());
        sim.poke("m_axi_arready", axi_ar);
        sim.poke("m_axi_awready", axi_aw);
        // Data comes behind its address.
        self.open[9] = self.to_write.front().is_some_and(|burst| burst.left > 0) && self.goes();
        sim.poke("m_axi_wready", self.open[9]);

        sim.poke("m_lite_rvalid", r);
        let (data, response) = match self.read.filter(|_| r) {
            Some(address) => (self.register(address), response_of(address)),
            None => (self.rng.next_u64() & 0xffff_ffff, self.rng.below(4)),
        };
        sim.poke("m_lite_rdata", data);
        sim.poke("m_lite_rresp", response);
        sim.poke("m_lite_bvalid", b);
        let response = match self.write[0].filter(|_| b) {
            Some(address) => response_of(address),
            None => self.rng.below(4),
        };
        sim.poke("m_lite_bresp", response);
        sim.poke("m_axi_rvalid", axi_r);
        let first = self.to_read.front().filter(|_| axi_r).map(|burst| (burst.address, burst.left));
        let (data, response, last) = match first {
            Some((address, left)) => (self.word(address), 2 * u64::from(fails(address)), left == 1),
            None => (self.rng.next_u64(), self.rng.below(4), self.rng.one_in(2)),
        };
        sim.poke("m_axi_rdata", data);
        sim.poke("m_axi_rresp", response);
        sim.poke("m_axi_rlast", last);
        sim.poke("m_axi_bvalid", axi_b);
        let response = match self.answers.front().filter(|_| axi_b) {
            Some(&fails) => 2 * u64::from(fails),
            None => self.rng.below(4),
        };
        sim.poke("m_axi_bresp", response);
    }

    /// What a channel offers, where it does, and that it stayed as it was.
    fn offered(&mut self, sim: &mut Interpreter, n: usize) -> Option<Vec<u64>> {
        let (channel, fields) = CHANNELS[n];
        let valid = sim.u64(&format!("{channel}valid")) == 1;
        let shows: Vec<u64> = fields.iter().map(|f| sim.u64(&format!("{channel}{f}"))).collect();
        let before = self.shown.remove(channel);
        assert!(before.is_none_or(|before| valid && before == shows), "{channel} has changed");
        let taken = valid && sim.u64(&format!("{channel}ready")) == 1;
        if valid && !taken {
            self.shown.insert(channel, shows.clone());
        }
        taken.then_some(shows)
    }

    /// Looks at the outputs, all inputs being set, and notes what moves at the coming edge.
    pub fn sample(&mut self, sim: &mut Interpreter) {
        if let Some(shows) = self.offered(sim, 0) {
            assert_eq!(shows[1..], [0]);
            self.read = Some(shows[0]);
            self.accessed.push((shows[0], None));
        }
        if let Some(shows) = self.offered(sim, 1) {
            assert_eq!(shows[1..], [0]);
            self.write[0] = Some(shows[0]);
        }
        if let Some(shows) = self.offered(sim, 2) {
            assert_eq!(shows[1..], [15]);
            self.write[1] = Some(shows[0]);
        }
        let fires = |sim: &mut Interpreter, channel: &str| {
            ["valid", "ready"].map(|end| sim.u64(&format!("{channel}{end}"))) == [1, 1]
        };
        if fires(sim, "m_lite_r") {
            (self.read, self.open[5]) = (None, false);
        }
        if let ([Some(address), Some(data)], true) = (self.write, fires(sim, "m_lite_b")) {
            self.accessed.push((address, Some(data)));
            if address < NO_REGISTER {
                self.registers.insert(address, data);
            }
            (self.write, self.open[6]) = ([None; 2], false);
        }
        // Whole beats of 64 bits, one after the other, of normal memory.
        let usual = [0, 3, 1, 0, 3, 0, 0];
        for n in [3, 4] {
            if let Some(shows) = self.offered(sim, n) {
                assert_eq!(shows[2..], usual);
                let burst = Burst { address: shows[0], left: shows[1] + 1, fails: false };
                [&mut self.to_read, &mut self.to_write][n - 3].push_back(burst);
            }
        }
        if fires(sim, "m_axi_r") {
            let burst = self.to_read.front_mut().expect("a burst");
            (burst.address, burst.left) = (burst.address + 8, burst.left - 1);
            if burst.left == 0 {
                self.to_read.pop_front();
            }
            self.open[7] = false;
        }
        if fires(sim, "m_axi_b") {
            self.answers.pop_front();
            self.open[8] = false;
        }
        if fires(sim, "m_axi_w") {
            let data = sim.u64("m_axi_wdata");
            let burst = self.to_write.front_mut().expect("a burst");
            let ends = (sim.u64("m_axi_wlast"), sim.u64("m_axi_wstrb"));
            assert_eq!(ends, (u64::from(burst.left == 1), 255));
            burst.fails |= fails(burst.address);
            if !fails(burst.address) {
                self.memory.insert(burst.address, data);
            }
            (burst.address, burst.left) = (burst.address + 8, burst.left - 1);
            if burst.left == 0 {
                self.answers.extend(self.to_write.pop_front().map(|burst| burst.fails));
            }
        }
    }

    /// Whether nothing is under way, and nothing was begun.
    pub fn is_idle(&self) -> bool {
        self.shown.is_empty()
            && self.write == [None; 2]
            && self.read.is_none()
            && [&self.to_read, &self.to_write].iter().all(|of| of.is_empty())
            && self.answers.is_empty()
    }
}
