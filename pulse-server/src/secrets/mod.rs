//! Values of secret parameters: sealed beside their execution while it lasts, in memory only while it is driven, and put
//! into a command at the moment it is sent. They never enter a journal, a state, a log or an answer.

mod key;
mod values;

pub use key::{DataKey, check};
pub use values::Secrets;
