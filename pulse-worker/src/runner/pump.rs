//! Reads both streams of a command and makes pieces of them: soon, but not a piece per write.
//!
//! Memory is bounded: per stream one read's worth of bytes, what masking holds back and makes of it, and the tail for
//! the result, and one piece. Nothing is read while the output takes nothing. All its futures may be dropped and called again without losing anything.

use super::mask::{Masker, Needles};
use super::output::{Output, Piece};
use super::text;
use pulse_core::command::{Stream, TAIL_BYTES};
use pulse_core::protocol::worker::MAX_OUTPUT_BYTES;
use pulse_core::text::tail;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::time::{Instant, sleep, sleep_until};

/// With so much read, a piece is made at once.
const ENOUGH: usize = 16 * 1024;
/// With anything read, a piece is made after this time.
const LATEST: Duration = Duration::from_millis(50);
/// Room for reading at first: most commands print little.
const ROOM: usize = 4 * 1024;
/// Room for reading when a read has filled it: what a pipe holds.
const MORE_ROOM: usize = 64 * 1024;
/// So much of a stream is read after the end: what a pipe can hold, even where it was enlarged. What comes after that
/// is none of the command's.
const MOST_AFTER_END: u64 = 1024 * 1024;

/// Both streams as the result tells them.
#[derive(Debug)]
pub struct Streams {
    /// The end of standard output.
    pub stdout: String,
    /// The end of standard error.
    pub stderr: String,
    /// All bytes of standard output.
    pub stdout_bytes: u64,
    /// All bytes of standard error.
    pub stderr_bytes: u64,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Pump<O> {
    stdout: Lane<ChildStdout>,
    stderr: Lane<ChildStderr>,
    output: O,
    /// The last piece's number.
    seq: u64,
    /// Whether standard error has the turn when both have something.
    stderr_first: bool,
}

impl<O: Output> Pump<O> {
    /// A pump that has read nothing, and passes on nothing of what is to be masked.
    pub fn new(
        stdout: Option<ChildStdout>,
        stderr: Option<ChildStderr>,
        output: O,
        mask: Option<&Arc<Needles>>,
    ) -> Self {
        let (stdout, stderr) = (Lane::new(stdout, mask), Lane::new(stderr, mask));
        Self { stdout, stderr, output, seq: 0, stderr_first: false }
    }

    /// Reads until both streams have ended.
    pub async fn run(&mut self) {
        while self.pass_on().await {
            self.read().await;
        }
    }

    /// Reads what is left until the streams have ended or reading was waited for so long in all; how long the output
    /// takes to take it does not count.
    pub async fn drain(&mut self, mut patience: Duration) {
        let most = self.read_bytes() + MOST_AFTER_END;
        while self.pass_on().await && self.read_bytes() < most {
            let began = Instant::now();
            tokio::select! {
                biased;
                () = self.read() => patience = patience.saturating_sub(began.elapsed()),
                () = sleep(patience) => break,
            }
        }
    }

    /// Whether both streams have ended and everything has been passed on.
    pub fn is_at_end(&self) -> bool {
        self.stdout.is_at_end() && self.stderr.is_at_end()
    }

    /// Stops reading and passes the rest on.
    pub async fn finish(mut self) -> Streams {
        self.stdout.close();
        self.stderr.close();
        while self.pass_on().await {}
        self.output.ready().await;
        Streams {
            stdout_bytes: self.stdout.bytes,
            stderr_bytes: self.stderr.bytes,
            stdout: self.stdout.into_tail(),
            stderr: self.stderr.into_tail(),
        }
    }

    fn read_bytes(&self) -> u64 {
        self.stdout.read + self.stderr.read
    }

    /// Passes on every piece that is due. Returns whether there is something to read.
    async fn pass_on(&mut self) -> bool {
        loop {
            self.output.ready().await;
            let now = Instant::now();
            let stderr = match (self.stdout.is_due(now), self.stderr.is_due(now)) {
                (false, false) => return !self.is_at_end(),
                (true, true) => self.stderr_first,
                (_, stderr) => stderr,
            };
            self.stderr_first = !stderr;
            let (stream, data) =
                if stderr { (Stream::Stderr, self.stderr.take(now)) } else { (Stream::Stdout, self.stdout.take(now)) };
            if !data.is_empty() {
                self.seq += 1;
                self.output.put(Piece { seq: self.seq, stream, data, gap_bytes: None });
            }
        }
    }

    /// Waits until something was read, a stream has ended, or a piece is due.
    async fn read(&mut self) {
        let due = [self.stdout.due_at, self.stderr.due_at].into_iter().flatten().min();
        let (stdout, stderr) = (&mut self.stdout, &mut self.stderr);
        let progress = poll_fn(|cx| {
            // Both every time, so that a flood on one does not hide the other.
            let progress = [stdout.poll_read(cx).is_ready(), stderr.poll_read(cx).is_ready()];
            if progress.contains(&true) { Poll::Ready(()) } else { Poll::Pending }
        });
        tokio::select! {
            biased;
            () = progress => {}
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
    }
}

/// One stream.
#[derive(Debug)]
struct Lane<R> {
    /// Gone when the stream has ended.
    reader: Option<R>,
    buffer: Vec<u8>,
    /// How much of the buffer has been read and not passed on.
    filled: usize,
    /// When that must be passed on; not while it is less than a character.
    due_at: Option<Instant>,
    /// All bytes that were read.
    read: u64,
    /// All bytes as they may be seen: masked, so that their number does not tell how long a secret is.
    bytes: u64,
    tail: String,
    masking: Option<Masking>,
}

/// What a lane with something to mask has besides.
#[derive(Debug)]
struct Masking {
    masker: Masker,
    /// What was read and is not masked yet.
    raw: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Lane<R> {
    fn new(reader: Option<R>, mask: Option<&Arc<Needles>>) -> Self {
        let masking = mask.map(|needles| Masking { masker: Masker::new(needles.clone()), raw: vec![0; MORE_ROOM] });
        Self { reader, buffer: Vec::new(), filled: 0, due_at: None, read: 0, bytes: 0, tail: String::new(), masking }
    }

    /// Reads no more. What was held back for what might have followed is there then.
    fn close(&mut self) {
        self.reader = None;
        if let Some(Masking { masker, .. }) = &mut self.masking {
            self.buffer.truncate(self.filled);
            masker.finish(&mut self.buffer);
            self.bytes += (self.buffer.len() - self.filled) as u64;
            self.filled = self.buffer.len();
        }
    }

    fn is_at_end(&self) -> bool {
        self.reader.is_none() && self.filled == 0
    }

    fn is_due(&self, now: Instant) -> bool {
        self.filled >= ENOUGH
            || (self.filled > 0 && self.reader.is_none())
            || self.due_at.is_some_and(|due_at| due_at <= now)
    }

    /// Ready when something was read or the stream has ended.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(reader) = &mut self.reader else { return Poll::Pending };
        let mut room = match &mut self.masking {
            Some(masking) => ReadBuf::new(&mut masking.raw),
            None => {
                if self.filled == self.buffer.len() {
                    self.buffer.resize(if self.filled == 0 { ROOM } else { MORE_ROOM }, 0);
                }
                ReadBuf::new(&mut self.buffer[self.filled..])
            }
        };
        let outcome = std::task::ready!(Pin::new(reader).poll_read(cx, &mut room));
        let read = room.filled().len();
        if outcome.is_err() || read == 0 {
            self.close();
            return Poll::Ready(());
        }
        self.read += read as u64;
        let before = self.filled;
        match &mut self.masking {
            Some(Masking { masker, raw }) => {
                self.buffer.truncate(self.filled);
                masker.push(&raw[..read], &mut self.buffer);
                self.filled = self.buffer.len();
            }
            None => self.filled += read,
        }
        self.bytes += (self.filled - before) as u64;
        if self.filled > 0 {
            self.due_at.get_or_insert_with(|| Instant::now() + LATEST);
        }
        if self.masking.is_none() && self.filled == self.buffer.len() && self.buffer.len() < MORE_ROOM {
            self.buffer.resize(MORE_ROOM, 0);
        }
        Poll::Ready(())
    }

    /// Takes the text of a piece; none when all there is is less than a character.
    fn take(&mut self, now: Instant) -> String {
        let mut data = String::with_capacity(self.filled.min(MAX_OUTPUT_BYTES));
        let at_end = self.reader.is_none();
        let used = text::append(&mut data, &self.buffer[..self.filled], MAX_OUTPUT_BYTES, at_end);
        self.buffer.copy_within(used..self.filled, 0);
        self.filled -= used;
        self.due_at = (self.filled > 0 && used > 0).then(|| now + LATEST);
        self.keep(&data);
        data
    }

    fn keep(&mut self, data: &str) {
        if self.tail.len() + data.len() > 2 * TAIL_BYTES {
            let keep = TAIL_BYTES.saturating_sub(data.len());
            let cut = self.tail.len() - tail(&self.tail, keep).len();
            self.tail.drain(..cut);
        }
        self.tail.push_str(data);
    }

    fn into_tail(self) -> String {
        let cut = self.tail.len() - tail(&self.tail, TAIL_BYTES).len();
        let mut tail = self.tail;
        tail.drain(..cut);
        tail.shrink_to_fit();
        tail
    }
}
