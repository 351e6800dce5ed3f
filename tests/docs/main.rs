//! The manual: that it is whole, and that what it shows is what happens.
//!
//! | module | what it holds the pages to |
//! |---|---|
//! | `drawings`, `sketch` | the architecture's pictures come from the code's constants |

mod drawings;
#[path = "../common/page.rs"]
#[allow(dead_code)]
mod page;
mod sketch;
