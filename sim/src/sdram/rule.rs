//! The rules of a chip.

use std::fmt;

macro_rules! rules {
    ($($rule:ident $text:literal;)*) => {
        /// A rule of the data sheet.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $text] $rule,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &[Rule] = &[$(Rule::$rule),*];

            /// What it says.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Rule::$rule => $text,)*
                }
            }
        }
    };
}

rules! {
    PowerUp "no command in the first 200 us";
    Initialisation "close all banks, refresh twice, set the mode, before anything else";
    Mode "the mode register has bursts of 1 to 8 words in sequence and the chip's CAS latency";
    ClockEnable "CKE stays high";
    Unknown "only commands that this model knows: no burst stop, no automatic precharge";
    ClosedBank "reads and writes go to an open row";
    OpenBank "a row is opened in a closed bank";
    BanksClosed "refreshes and modes come while all banks are closed";
    Column "the column exists";
    Row "the row exists";
    Burst "a burst is not cut off";
    Rcd "tRCD: activate to read or write";
    Rp "tRP: precharge to activate, refresh or mode";
    Ras "tRAS: activate to precharge";
    Rc "tRC: activate to activate of one bank";
    Rrd "tRRD: activate to activate of another bank";
    Rfc "tRFC: refresh to the next command";
    Wr "tWR: last word written to precharge";
    Mrd "tMRD: mode to the next command";
    Refresh "as many refreshes as the cells need, at most eight of them late";
    Contention "one side drives DQ, with a clock between the chip's words and others";
    NoData "each word of a write is driven";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.meaning())
    }
}
