//! Agent ⇄ supervisor, over a Unix socket in the state directory.
//!
//! ```text
//! length of the rest, u32 LE │ kind, u8 │ body
//!                              1: JSON │ a message
//!                              2: id (16) · number, u64 LE · stream, u8 (1 out, 2 err, 3 gap) · text, or u64 LE
//! ```
//!
//! The agent says hello with the versions it speaks; the supervisor answers with the one that is used, everything it knows,
//! and `ready`. The agent may be newer than the supervisor, never older: so an agent keeps speaking the versions of
//! [`OLDEST`] to [`CURRENT`], and a supervisor ignores messages that it does not know. Fields are only added, with
//! defaults. A supervisor of a version that is not spoken any more is left to finish (see [`super::client`]).

use crate::runner::{Piece, Portable};
use pulse_core::command::{CommandEnd, Stream};
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::protocol::worker::Dispatch;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use uuid::Uuid;

/// The version that this program's supervisor speaks.
pub const CURRENT: u32 = 1;
/// The oldest version that this program's agent speaks.
pub const OLDEST: u32 = 1;

/// Longest frame: a dispatch or a result with everything in it escaped.
const LONGEST: usize = 32 * 1024 * 1024;
const JSON: u8 = 1;
const PIECE: u8 = 2;
/// Id, number and stream of a piece.
const PIECE_HEADER: usize = 16 + 8 + 1;

/// What an agent says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToSupervisor {
    /// The first message.
    Hello {
        /// The oldest version it speaks.
        oldest: u32,
        /// The newest version it speaks.
        newest: u32,
        /// The program's version.
        version: String,
        /// What commands are to find around them from now on.
        environment: Portable,
    },
    /// Take a command, durably, and start it. What is known is not started again; how far it is is told again.
    Start {
        /// The command.
        dispatch: Box<Dispatch>,
    },
    /// Stop a command.
    Cancel {
        /// Which attempt.
        command_id: CommandId,
        /// Why.
        reason: String,
    },
    /// Output up to a piece need not be kept.
    Acknowledge {
        /// Which attempt.
        command_id: CommandId,
        /// The piece's number.
        seq: u64,
    },
    /// The server has the result: nothing of the command need be kept.
    Forget {
        /// Which attempt.
        command_id: CommandId,
    },
    /// The agent ends in order, or wants another supervisor: end if nothing runs.
    End,
    /// Something of a newer version.
    #[serde(other)]
    Unknown,
}

/// What a supervisor says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromSupervisor {
    /// The answer to a hello.
    Welcome {
        /// The version that is used; none when there is no common one. Then the connection closes.
        protocol: Option<u32>,
        /// The program's version.
        version: String,
        /// Its process.
        pid: u32,
    },
    /// A command that it knows. Comes between welcome and ready.
    Known {
        /// Which attempt.
        command_id: CommandId,
        /// Whose it is.
        execution_id: ExecutionId,
        /// Whether its process has ended.
        is_over: bool,
    },
    /// Everything known has been told.
    Ready,
    /// A command is on the disk and starts.
    Accepted {
        /// Which attempt.
        command_id: CommandId,
        /// Whose it is.
        execution_id: ExecutionId,
    },
    /// A command could not be taken, and is not known any more.
    NotAccepted {
        /// Which attempt.
        command_id: CommandId,
        /// Why.
        reason: String,
    },
    /// A command's process has ended, but much of its output is still to follow.
    Over {
        /// Which attempt.
        command_id: CommandId,
    },
    /// A command's result is on the disk, and all its output has been sent.
    Ended {
        /// Which attempt.
        command_id: CommandId,
        /// How.
        end: Box<CommandEnd>,
    },
    /// Something of another version.
    #[serde(other)]
    Unknown,
}

/// What comes from a supervisor.
#[derive(Debug, PartialEq)]
pub enum Received {
    /// A message.
    Message(FromSupervisor),
    /// A piece of output.
    Piece(CommandId, Piece),
}

/// Appends a message's frame.
pub fn message(out: &mut Vec<u8>, message: &impl Serialize) {
    let start = begin(out, JSON);
    serde_json::to_writer(&mut *out, message).expect("plain data becomes JSON");
    finish(out, start);
}

/// Appends a piece's frame.
pub fn piece(out: &mut Vec<u8>, command_id: CommandId, piece: &Piece) {
    let start = begin(out, PIECE);
    out.extend_from_slice(command_id.0.as_bytes());
    out.extend_from_slice(&piece.seq.to_le_bytes());
    match (piece.gap_bytes, piece.stream) {
        (Some(bytes), _) => {
            out.push(3);
            out.extend_from_slice(&bytes.to_le_bytes());
        }
        (None, stream) => {
            out.push(if stream == Stream::Stdout { 1 } else { 2 });
            out.extend_from_slice(piece.data.as_bytes());
        }
    }
    finish(out, start);
}

fn begin(out: &mut Vec<u8>, kind: u8) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.push(kind);
    start
}

fn finish(out: &mut [u8], start: usize) {
    let length = u32::try_from(out.len() - start - 4).expect("a frame is far smaller");
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

/// Reads a supervisor's next frame; none at the end.
///
/// # Errors
/// When the connection breaks, or what comes makes no sense.
pub async fn receive(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Received>> {
    let Some((kind, body)) = frame(from).await? else { return Ok(None) };
    Ok(Some(match kind {
        JSON => Received::Message(parse(&body)?),
        PIECE => parse_piece(body).ok_or_else(|| invalid("a piece that makes no sense"))?,
        _ => Received::Message(FromSupervisor::Unknown),
    }))
}

/// Reads an agent's next frame; none at the end.
///
/// # Errors
/// When the connection breaks, or what comes makes no sense.
pub async fn receive_from_agent(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<ToSupervisor>> {
    match frame(from).await? {
        None => Ok(None),
        Some((JSON, body)) => parse(&body).map(Some),
        Some(_) => Ok(Some(ToSupervisor::Unknown)),
    }
}

async fn frame(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<(u8, Vec<u8>)>> {
    let length = match from.read_u32_le().await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        length => length? as usize,
    };
    if length == 0 || length > LONGEST {
        return Err(invalid("a frame of impossible length"));
    }
    let kind = from.read_u8().await?;
    let mut body = vec![0; length - 1];
    from.read_exact(&mut body).await?;
    Ok(Some((kind, body)))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> io::Result<T> {
    serde_json::from_slice(body).map_err(|error| invalid(&error.to_string()))
}

fn parse_piece(mut body: Vec<u8>) -> Option<Received> {
    if body.len() < PIECE_HEADER {
        return None;
    }
    let rest = body.split_off(PIECE_HEADER);
    let command_id = CommandId(Uuid::from_slice(&body[..16]).ok()?);
    let seq = u64::from_le_bytes(body[16..24].try_into().ok()?);
    let text = |stream, rest| Some(Piece { seq, stream, data: String::from_utf8(rest).ok()?, gap_bytes: None });
    let piece = match body[24] {
        1 => text(Stream::Stdout, rest)?,
        2 => text(Stream::Stderr, rest)?,
        3 => Piece::gap(seq, u64::from_le_bytes(rest.try_into().ok()?)),
        _ => return None,
    };
    Some(Received::Piece(command_id, piece))
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_come_back_and_unknown_messages_are_told_from_damage() {
        let id = CommandId(Uuid::from_u128(7));
        let pieces = [
            Piece { seq: 1, stream: Stream::Stdout, data: "a\u{fc}".into(), gap_bytes: None },
            Piece { seq: 2, stream: Stream::Stderr, data: String::new(), gap_bytes: None },
            Piece::gap(3, 0),
            Piece::gap(4, u64::MAX),
        ];
        let mut bytes = Vec::new();
        message(&mut bytes, &FromSupervisor::Ready);
        pieces.iter().for_each(|one| piece(&mut bytes, id, one));
        message(&mut bytes, &serde_json::json!({"type": "of_tomorrow", "x": 1}));
        let mut from = bytes.as_slice();
        assert_eq!(receive(&mut from).await.unwrap(), Some(Received::Message(FromSupervisor::Ready)));
        for piece in pieces {
            assert_eq!(receive(&mut from).await.unwrap(), Some(Received::Piece(id, piece)));
        }
        assert_eq!(receive(&mut from).await.unwrap(), Some(Received::Message(FromSupervisor::Unknown)));
        assert_eq!(receive(&mut from).await.unwrap(), None);
        assert!(receive(&mut [0xff, 0xff, 0xff, 0xff].as_slice()).await.is_err());
    }
}
