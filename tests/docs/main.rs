//! The manual: that it is whole, and that what it shows is what happens.
//!
//! | module | what it holds the pages to |
//! |---|---|
//! | `book` | every page is listed, every link and picture is there |
//! | `console` | the commands in them |
//! | `examples` | a command that is shown is run, or has a reason why not |
//! | `recordings` | the terminals of the tour show what commands say |
//! | `drawings`, `sketch` | the architecture's pictures come from the code's constants |

mod book;
mod console;
mod drawings;
mod examples;
#[path = "../common/page.rs"]
#[allow(dead_code)]
mod page;
mod recordings;
mod sketch;
