//! Webhooks: telling others that an execution ended or asks a person.
//!
//! ```text
//! entries ──▶ notice: what is to be told ──▶ one append with the entries ──▶ sender ──▶ call ──▶ receiver
//!                                                      (store)                 │  names: looks up, checks, pins
//!                                                         ▲────── progress ────┘
//! ```
//!
//! A call is written in the transaction of the entries that cause it, and is tried until it is taken or a day is over. It
//! is made at least once: a receiver knows a repeated one by its id. Nothing in here decides about executions, and none of
//! them waits for it.

mod address;
mod backoff;
mod call;
mod key;
mod names;
mod notice;
mod sender;
#[cfg(test)]
mod tests;

pub use address::Allowed;
pub use call::shown_url;
pub use key::SigningKey;
pub use notice::Webhooks;
pub(crate) use sender::Sender;
