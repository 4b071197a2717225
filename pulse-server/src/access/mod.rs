//! Who is asking, and what they may do. Secrets are compared and stored as hashes only.

mod guard;
mod one_time;
mod secret;

pub use guard::{Access, Caller, Credential, Denied};
pub use one_time::OneTimeCodes;
pub use secret::{Secret, hash};
