//! Where a command's output goes.

use pulse_core::command::Stream;
use serde::{Deserialize, Serialize};
use std::future::Future;

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Its number: from 1, across both streams.
    pub seq: u64,
    /// Which stream.
    pub stream: Stream,
    /// At most [`pulse_core::protocol::worker::MAX_OUTPUT_BYTES`], whole characters, without NUL.
    pub data: String,
    /// In place of data: so many bytes are not kept here; none when what follows is held back until the command ends.
    /// The runner itself makes no such piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_bytes: Option<u64>,
}

impl Piece {
    /// A piece that says that something is missing.
    pub fn gap(seq: u64, bytes: u64) -> Self {
        Self { seq, stream: Stream::Stdout, data: String::new(), gap_bytes: Some(bytes) }
    }
}

/// Takes a command's output, one piece at a time.
pub trait Output: Send {
    /// Takes a piece. Called only when [`Self::ready`] has completed since the last one.
    fn put(&mut self, piece: Piece);

    /// Waits until the next piece can be taken. While it waits the command's pipes are not read, so the command comes to
    /// wait, too. Must be cancel safe: when it is dropped and called again, nothing is lost or doubled.
    fn ready(&mut self) -> impl Future<Output = ()> + Send;
}
