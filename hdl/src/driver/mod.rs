//! A card from the host: the same for a PCIe card, a board on a serial line, and a simulation.
//!
//! | module | what it is for |
//! |---|---|
//! | [`transport`] | registers and memory, however they are reached |
//! | [`identity`] | which core it is |
//! | [`map`] | where everything lies in the card's memory |
//! | [`bare`] | state, label and reset of a card, no model needed |
//! | [`load`] | a model to the card, as far as it is not there |
//! | [`card`] | a model on the card; its reset |
//! | [`seats`] | states of sequences, on chip and in memory |
//! | [`stream`] | a model through a memory that is too small for it |
//! | [`run`] | commands, runs of one or many tokens, counters |
//! | [`answer`] | what a pass leaves in memory, checked |
//! | [`device`] | the card as a [`Device`](sterna_firmware::device::Device) |
//! | [`error`] | everything that can go wrong |
//!
//! ```no_run
//! # fn with<T: sterna_hdl::driver::Transport>(transport: T) -> sterna_firmware::Result<()> {
//! use sterna_firmware::device::{Device, Step, Want};
//! use sterna_firmware::model::Model;
//! use sterna_hdl::driver::{Card, Settings};
//!
//! let model = Model::open("370m.sterna".as_ref())?;
//! let mut card = Card::open(transport, "card", model, &Settings::default())?;
//! let heads = card.pass(&[Step { slot: 0, token: 1, want: Want::Top }])?;
//! println!("{:?}", heads[0].top[0]);
//! # Ok(())
//! # }
//! ```

pub mod answer;
pub mod bare;
pub mod card;
pub mod device;
pub mod error;
pub mod identity;
pub mod load;
pub mod map;
pub mod run;
pub mod seats;
pub mod stream;
pub mod transport;

pub use bare::{CoreState, Holds};
pub use card::{Card, Settings};
pub use error::{CardError, Place};
pub use identity::identify;
pub use load::{Loaded, OnProgress, Progress, contents};
pub use map::MemoryMap;
pub use transport::{Shared, Transport};
