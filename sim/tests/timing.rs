//! The timing model: what it says by itself. That it is the core's timing is what every simulated
//! session compares (`Session`), and tests/core runs.

use sterna_firmware::device::Want;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::Opcode;
use sterna_firmware::shape::Shape;
use sterna_rtl::random::Rng;
use sterna_sim::timing::{Ideal, Source, Timing, Traffic};
