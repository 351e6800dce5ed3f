//! What a fake card can be told to do wrong, and when.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A stretch of a job, told by what the host does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nodes are opened.
    Open,
    /// The registers are read that say which core it is.
    Identify,
    /// Memory is written.
    Load,
    /// Registers are written.
    Start,
    /// The core's progress is looked at, an interrupt waited for.
    Run,
    /// Memory is read.
    Read,
    /// Nodes are closed.
    Close,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Phase; 7] = [
        Phase::Open,
        Phase::Identify,
        Phase::Load,
        Phase::Start,
        Phase::Run,
        Phase::Read,
        Phase::Close,
    ];

    /// Its name in a specification.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Open => "open",
            Phase::Identify => "identify",
            Phase::Load => "load",
            Phase::Start => "start",
            Phase::Run => "run",
            Phase::Read => "read",
            Phase::Close => "close",
        }
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Half of a transfer is done.
    Short,
    /// Input/output error.
    Eio,
    /// The driver's time-out.
    Timeout,
    /// Error 512, which a driver should not let out. Through FUSE it is EINTR, as the kernel
    /// passes no such error on.
    Restart,
    /// The driver has no device any more. The link takes the core's reset with it; the memory
    /// stays.
    Gone,
    /// Registers read as ones.
    Ones,
    /// A transfer does not return for so long, and has then failed.
    Hang(Duration),
    /// An interrupt does not come.
    LostIrq,
    /// An interrupt comes so much later.
    LateIrq(Duration),
    /// A command never ends.
    Stuck,
    /// The core has another geometry than it was made from.
    Geometry,
    /// A result record is another image's.
    Image,
    /// A bit of the image in memory changes.
    Memory,
    /// A bit changes on its way from the card's memory.
    ReadBack,
    /// A run stops with an error code of the core.
    Core(u8),
    /// A node may not be opened.
    Denied,
    /// Somebody else resets the core.
    Reset,
}

/// Where a fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    Open,
    Close,
    /// A transfer; from the card, and whether it is of result records.
    Dma {
        from_card: bool,
        records: bool,
    },
    /// A register by its offset, and whether it is reached by a call, which can fail.
    ReadRegister {
        offset: u32,
        call: bool,
    },
    WriteRegister {
        call: bool,
    },
    /// A command other than a reset; whether it is a run.
    Command {
        run: bool,
    },
    Event,
    Interrupt,
}

impl Kind {
    /// How long a transfer hangs, or an interrupt is late, if nobody says.
    const HANG: Duration = Duration::from_secs(10);
    const LATE: Duration = Duration::from_millis(50);

    /// Every kind, with the values that they have by default.
    pub const ALL: [Kind; 17] = [
        Kind::Short,
        Kind::Eio,
        Kind::Timeout,
        Kind::Restart,
        Kind::Gone,
        Kind::Ones,
        Kind::Hang(Kind::HANG),
        Kind::LostIrq,
        Kind::LateIrq(Kind::LATE),
        Kind::Stuck,
        Kind::Geometry,
        Kind::Image,
        Kind::Memory,
        Kind::ReadBack,
        Kind::Core(6),
        Kind::Denied,
        Kind::Reset,
    ];

    /// Its name in a specification.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Short => "short",
            Kind::Eio => "eio",
            Kind::Timeout => "timeout",
            Kind::Restart => "restart",
            Kind::Gone => "gone",
            Kind::Ones => "ones",
            Kind::Hang(_) => "hang",
            Kind::LostIrq => "lost-irq",
            Kind::LateIrq(_) => "late-irq",
            Kind::Stuck => "stuck",
            Kind::Geometry => "geometry",
            Kind::Image => "image",
            Kind::Memory => "memory",
            Kind::ReadBack => "read-back",
            Kind::Core(_) => "core",
            Kind::Denied => "denied",
            Kind::Reset => "reset",
        }
    }

    fn hits(self, site: Site) -> bool {
        match self {
            Kind::Short | Kind::Hang(_) => matches!(site, Site::Dma { .. }),
            // A load or store of a mapped register has no error to return.
            Kind::Eio | Kind::Timeout | Kind::Restart => !matches!(
                site,
                Site::Close
                    | Site::Interrupt
                    | Site::Command { .. }
                    | Site::ReadRegister { call: false, .. }
                    | Site::WriteRegister { call: false }
            ),
            Kind::Gone => !matches!(site, Site::Close | Site::Interrupt | Site::Command { .. }),
            Kind::Ones => matches!(site, Site::ReadRegister { .. }),
            Kind::LostIrq | Kind::LateIrq(_) => site == Site::Interrupt,
            Kind::Stuck => matches!(site, Site::Command { .. }),
            Kind::Core(_) => site == Site::Command { run: true },
            Kind::Geometry => {
                let bus = sterna_hdl::registers::BUS.offset;
                matches!(site, Site::ReadRegister { offset, .. } if offset == bus)
            }
            Kind::Image => matches!(site, Site::Dma { records: true, .. }),
            Kind::ReadBack => matches!(site, Site::Dma { from_card: true, .. }),
            Kind::Denied => site == Site::Open,
            Kind::Memory | Kind::Reset => !matches!(site, Site::Interrupt | Site::Command { .. }),
        }
    }
}

/// A fault of a job: it waits for a phase, and hits the next operation that it can hit.
///
/// As text `KIND[=VALUE]@PHASE[+SKIP][xCOUNT]`: `eio@load`, `hang=500@read` (milliseconds),
/// `core=6@run`, `short@load+3x2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: Kind,
    /// When.
    pub phase: Phase,
    /// Operations of the phase that go well before.
    pub skip: u32,
    /// Operations that are hit.
    pub count: u32,
}

impl Fault {
    /// The first operation of a phase that it can hit; a card that is gone stays so.
    pub fn new(kind: Kind, phase: Phase) -> Fault {
        let count = if kind == Kind::Gone { u32::MAX } else { 1 };
        Fault { kind, phase, skip: 0, count }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { kind, phase, skip, count } = self;
        f.write_str(kind.name())?;
        match kind {
            Kind::Hang(time) | Kind::LateIrq(time) => write!(f, "={}", time.as_millis())?,
            Kind::Core(code) => write!(f, "={code}")?,
            _ => {}
        }
        write!(f, "@{}", phase.name())?;
        if *skip > 0 {
            write!(f, "+{skip}")?;
        }
        if *count != Fault::new(*kind, *phase).count {
            write!(f, "x{count}")?;
        }
        Ok(())
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Fault, String> {
        let names = |names: Vec<&str>| names.join(", ");
        let (what, when) = text.split_once('@').ok_or("write KIND@PHASE, such as eio@load")?;
        let (name, value) = what.split_once('=').map_or((what, None), |(n, v)| (n, Some(v)));
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            format!("there is no fault `{name}`: {}", names(Kind::ALL.map(Kind::name).into()))
        })?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| format!("`{text}` is no number"));
        let millis = |text| Ok::<_, String>(Duration::from_millis(number(text)?.into()));
        let kind = match (kind, value) {
            (kind, None) => kind,
            (Kind::Hang(_), Some(value)) => Kind::Hang(millis(value)?),
            (Kind::LateIrq(_), Some(value)) => Kind::LateIrq(millis(value)?),
            (Kind::Core(_), Some(value)) => {
                Kind::Core(u8::try_from(number(value)?).map_err(|e| e.to_string())?)
            }
            (kind, Some(_)) => return Err(format!("`{}` has no value", kind.name())),
        };
        let (when, count) = when.split_once('x').map_or((when, None), |(w, c)| (w, Some(c)));
        let (name, skip) = when.split_once('+').map_or((when, None), |(w, s)| (w, Some(s)));
        let phase = Phase::ALL.into_iter().find(|phase| phase.name() == name).ok_or_else(|| {
            format!("there is no phase `{name}`: {}", names(Phase::ALL.map(Phase::name).into()))
        })?;
        let fault = Fault::new(kind, phase);
        Ok(Fault {
            skip: skip.map_or(Ok(fault.skip), number)?,
            count: count.map_or(Ok(fault.count), number)?,
            ..fault
        })
    }
}

/// Faults that are still to come.
#[derive(Default)]
pub(super) struct Plan {
    waiting: Vec<Fault>,
    /// Faults whose phase has come, with the operations that they still hit.
    due: Vec<Fault>,
    /// Operations that were hit.
    pub hits: u32,
}

impl Plan {
    pub fn add(&mut self, fault: Fault) {
        self.waiting.push(fault);
    }

    pub fn clear(&mut self) {
        *self = Plan::default();
    }

    /// An operation begins: what goes wrong with it, if anything does.
    pub fn meet(&mut self, phase: Option<Phase>, site: Site) -> Option<Kind> {
        self.waiting.retain_mut(|fault| {
            if Some(fault.phase) != phase {
                return true;
            }
            let waits = fault.skip > 0;
            if waits {
                fault.skip -= 1;
            } else {
                self.due.push(*fault);
            }
            waits
        });
        let fault = self.due.iter_mut().find(|fault| fault.count > 0 && fault.kind.hits(site))?;
        fault.count = fault.count.saturating_sub(u32::from(fault.count != u32::MAX));
        self.hits = self.hits.saturating_add(1);
        Some(fault.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifications_go_there_and_back() {
        for kind in Kind::ALL {
            for phase in Phase::ALL {
                let fault = Fault::new(kind, phase);
                for fault in [fault, Fault { skip: 3, count: 2, ..fault }] {
                    assert_eq!(fault.to_string().parse(), Ok(fault));
                }
            }
        }
        let fault: Fault = "hang=250@read+1".parse().unwrap();
        assert_eq!(fault.kind, Kind::Hang(Duration::from_millis(250)));
        for wrong in ["eio", "eio@lunch", "oi@load", "eio=3@load", "core=300@run", "eio@loadxx"] {
            assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_fault_waits_for_its_phase_and_its_place() {
        let mut plan = Plan::default();
        plan.add("short@start+1x2".parse().unwrap());
        let dma = Site::Dma { from_card: false, records: false };
        let step = |plan: &mut Plan, phase, site| plan.meet(Some(phase), site).is_some();
        assert!(!step(&mut plan, Phase::Load, dma));
        assert!(!step(&mut plan, Phase::Start, Site::WriteRegister { call: true }));
        assert!(!step(&mut plan, Phase::Load, dma));
        assert!(!step(&mut plan, Phase::Start, Site::WriteRegister { call: true }));
        assert!(step(&mut plan, Phase::Load, dma));
        assert!(step(&mut plan, Phase::Read, dma));
        assert!(!step(&mut plan, Phase::Read, dma));
        assert_eq!(plan.hits, 2);
    }
}
