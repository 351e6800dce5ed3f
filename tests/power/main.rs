//! Measured power: recordings that the tests make, and what is reported of them.

mod made;
mod page;
mod report;
mod run;
mod schema;
