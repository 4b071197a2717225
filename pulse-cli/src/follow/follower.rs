//! The task that follows: it owns the connection, the timeline and the questions, and tells the view.

use super::backoff::Backoff;
use super::catch_up::{self, refusal};
use super::input::Input;
use super::questions::{Questions, Reply};
use super::timeline::{Item, Timeline};
use super::view::View;
use crate::client::{Client, Refusal, Socket};
use crate::error::Error;
use crate::ids::short_one;
use pulse_core::api::RespondRequest;
use pulse_core::event::Event;
use pulse_core::ids::{ExecutionId, Seq};
use pulse_core::protocol::browser::{FromBrowser, ToBrowser};
use pulse_core::status::ExecutionStatus;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, interval, sleep, sleep_until};

/// How long an entry waits for output that should come before it.
const GRACE: Duration = Duration::from_millis(500);
/// After so much silence an unfinished line is shown.
const IDLE: Duration = Duration::from_millis(150);
const TICK: Duration = Duration::from_secs(1);
/// A server that has said nothing is asked for a sign of life, and then given up.
const PING_AFTER: Duration = Duration::from_secs(15);
const DEAD_AFTER: Duration = Duration::from_secs(45);

/// Children that are followed at once: two topics each, of those that a server lets one connection have.
const CHILDREN: usize = 20;

/// How following ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The execution has ended.
    Finished(ExecutionStatus),
    /// Ctrl-C: it goes on without us.
    Interrupted,
}

/// Follows one execution with its children.
pub struct Follower<'a> {
    client: &'a Client,
    id: ExecutionId,
    view: &'a mut dyn View,
    timeline: Timeline,
    /// Its children that go on, and theirs.
    children: BTreeMap<ExecutionId, Timeline>,
    /// Whether a child has come that the server has not been asked for.
    more: bool,
    questions: Questions,
    /// Where answers come from; none when nobody is to be asked, or no more.
    input: Option<Input>,
    ended: Option<ExecutionStatus>,
    backoff: Backoff,
    /// Whether the loss of the connection has been said.
    lost: bool,
}

/// What happened next.
enum Heard {
    Message(Option<Box<ToBrowser>>),
    Line(Option<String>),
    Overdue,
    Idle,
    Tick,
}

impl<'a> Follower<'a> {
    /// Follows from the first entry. With an input, questions are asked and answered there.
    pub fn new(client: &'a Client, id: ExecutionId, view: &'a mut dyn View, input: Option<Input>) -> Self {
        let timeline = Timeline::new(view.wants_output());
        Self {
            client,
            id,
            view,
            timeline,
            children: BTreeMap::new(),
            more: false,
            questions: Questions::default(),
            input,
            ended: None,
            backoff: Backoff::new(),
            lost: false,
        }
    }

    /// Follows until the execution ends, or Ctrl-C.
    ///
    /// # Errors
    /// When the server refuses, or nothing can be written.
    pub async fn run(mut self) -> Result<Ended, Error> {
        let ended = tokio::select! {
            ended = self.follow() => Ended::Finished(ended?),
            _ = tokio::signal::ctrl_c() => Ended::Interrupted,
        };
        if ended == Ended::Interrupted {
            let short = short_one(&self.id);
            self.view
                .say(&format!("still running; `pulse abort {short}` stops it, `pulse show {short}` looks at it"))?;
        }
        self.view.flush()?;
        Ok(ended)
    }

    async fn follow(&mut self) -> Result<ExecutionStatus, Error> {
        loop {
            match self.connection().await {
                Ok(status) => return Ok(status),
                Err(Refusal::Final(error)) => return Err(error),
                Err(Refusal::Lost(reason)) => {
                    if !std::mem::replace(&mut self.lost, true) {
                        let url = self.client.address();
                        self.view.say(&format!("connection to {url} lost ({reason}); trying again"))?;
                    }
                    self.view.flush()?;
                    let random = uuid::Uuid::new_v4().as_bytes()[0];
                    sleep(self.backoff.next(random)).await;
                }
            }
        }
    }

    /// Follows over one connection, until the end of the execution or of the connection.
    async fn connection(&mut self) -> Result<ExecutionStatus, Refusal> {
        let mut socket = Socket::open(self.client).await?;
        self.more = false;
        socket.send(&self.subscription()).await?;
        let mut caught_up = false;
        let mut ticks = interval(TICK);
        let (mut heard_at, mut pinged) = (Instant::now(), false);
        let mut blocked: Option<((ExecutionId, Seq), Instant)> = None;
        let mut quiet = true;
        loop {
            if std::mem::take(&mut self.more) {
                socket.send(&self.subscription()).await?;
            }
            blocked = self.blocked().map(|at| match blocked {
                Some((same, until)) if same == at => (at, until),
                _ => (at, Instant::now() + GRACE),
            });
            if caught_up && blocked.is_none() {
                self.ask_or_answer().await?;
            }
            self.view.flush().map_err(Refusal::Final)?;
            let heard = tokio::select! {
                message = socket.next() => Heard::Message(message?.map(Box::new)),
                line = Input::line_of(&mut self.input) => Heard::Line(line),
                () = sleep_until(blocked.map_or_else(Instant::now, |(_, until)| until)), if blocked.is_some() => Heard::Overdue,
                () = sleep(IDLE), if !quiet => Heard::Idle,
                _ = ticks.tick() => Heard::Tick,
            };
            match heard {
                Heard::Message(message) => {
                    (heard_at, pinged, quiet) = (Instant::now(), false, false);
                    if matches!(message.as_deref(), Some(ToBrowser::Subscribed { .. })) {
                        caught_up = true;
                        self.connected().map_err(Refusal::Final)?;
                    } else if let Some(message) = message {
                        self.message(*message).await?;
                    }
                }
                Heard::Line(line) => self.line(line).await?,
                Heard::Overdue => {
                    if let Some(((id, _), _)) = blocked {
                        let items = self.timeline_of(id).map(Timeline::release).unwrap_or_default();
                        self.show(id, items).map_err(Refusal::Final)?;
                    }
                }
                Heard::Idle => {
                    quiet = true;
                    self.view.idle().map_err(Refusal::Final)?;
                }
                Heard::Tick => {
                    self.view.tick().map_err(Refusal::Final)?;
                    let silence = heard_at.elapsed();
                    if silence > DEAD_AFTER {
                        return Err(Refusal::Lost("no sign of life".to_owned()));
                    }
                    if silence > PING_AFTER && !pinged {
                        pinged = true;
                        socket.ping().await?;
                    }
                }
            }
            if let Some(status) = self.ended {
                return Ok(status);
            }
        }
    }

    fn subscription(&self) -> FromBrowser {
        let mut after = BTreeMap::new();
        let all = std::iter::once((&self.id, &self.timeline)).chain(&self.children);
        for (id, timeline) in all {
            after.insert(format!("execution:{id}"), timeline.seq());
            if timeline.with_output() {
                after.insert(format!("output:{id}"), timeline.cursor());
            }
        }
        FromBrowser::Subscribe { topics: after.keys().cloned().collect(), after }
    }

    fn timeline_of(&mut self, id: ExecutionId) -> Option<&mut Timeline> {
        if id == self.id { Some(&mut self.timeline) } else { self.children.get_mut(&id) }
    }

    /// The first entry that waits for output.
    fn blocked(&self) -> Option<(ExecutionId, Seq)> {
        let mut all = std::iter::once((&self.id, &self.timeline)).chain(&self.children);
        all.find_map(|(id, timeline)| timeline.blocked().map(|seq| (*id, seq)))
    }

    fn connected(&mut self) -> Result<(), Error> {
        self.backoff.reset();
        if std::mem::take(&mut self.lost) {
            self.view.say("connected again")?;
        }
        Ok(())
    }

    async fn message(&mut self, message: ToBrowser) -> Result<(), Refusal> {
        match message {
            ToBrowser::ExecutionEvent { execution_id, entry } => {
                match self.timeline_of(execution_id).map(|timeline| timeline.entry(entry)) {
                    Some(Ok(items)) => self.show(execution_id, items).map_err(Refusal::Final),
                    Some(Err(_)) => self.catch_up(execution_id).await,
                    None => Ok(()),
                }
            }
            ToBrowser::Output { execution_id, chunk } => {
                let items = self.timeline_of(execution_id).map(|timeline| timeline.output(chunk)).unwrap_or_default();
                self.show(execution_id, items).map_err(Refusal::Final)
            }
            ToBrowser::Lagged { .. } => {
                for id in std::iter::once(self.id).chain(self.children.keys().copied()).collect::<Vec<_>>() {
                    self.catch_up(id).await?;
                }
                Ok(())
            }
            ToBrowser::Error { detail } => Err(Refusal::Final(Error::input(format!("the server refused: {detail}")))),
            _ => Ok(()),
        }
    }

    /// Reads what was left out. What comes over the connection meanwhile is known then, and dropped.
    async fn catch_up(&mut self, id: ExecutionId) -> Result<(), Refusal> {
        let client = self.client;
        while let Some(timeline) = self.timeline_of(id) {
            let page = catch_up::page(client, id, timeline).await;
            let (items, more) = match page {
                // A child that has not begun yet.
                Err(Refusal::Final(error)) if id != self.id && error.status() == Some(404) => return Ok(()),
                page => page?,
            };
            self.show(id, items).map_err(Refusal::Final)?;
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn show(&mut self, id: ExecutionId, items: Vec<Item>) -> Result<(), Error> {
        for item in items {
            match item {
                Item::Entry(entry) => {
                    self.questions.observe(id, &entry);
                    match id == self.id {
                        true => self.view.entry(&entry)?,
                        false => self.view.child_entry(id, &entry)?,
                    }
                    self.family(id, &entry.event);
                }
                Item::Output(chunk) if id == self.id => self.view.output(&chunk)?,
                Item::Output(chunk) => self.view.child_output(id, &chunk)?,
            }
        }
        Ok(())
    }

    /// Takes note of executions that begin and end.
    fn family(&mut self, id: ExecutionId, event: &Event) {
        match event {
            Event::ChildStarted { execution_id, .. }
                if self.view.wants_children() && self.children.len() < CHILDREN =>
            {
                self.children.insert(*execution_id, Timeline::new(self.view.wants_output()));
                self.more = true;
            }
            // It could not be started, and nothing is heard of it.
            Event::ChildFinished { execution_id, .. } if self.children.get(execution_id).is_some_and(is_unheard) => {
                self.children.remove(execution_id);
            }
            Event::ExecutionFinished { status, .. } if id == self.id => self.ended = Some(*status),
            Event::ExecutionFinished { .. } => drop(self.children.remove(&id)),
            _ => {}
        }
    }

    /// Puts the oldest open question, if it has not been put yet, or answers it with a line that came before it.
    async fn ask_or_answer(&mut self) -> Result<(), Refusal> {
        let Some(input) = &mut self.input else { return Ok(()) };
        match self.questions.ask(input, self.view).map_err(Refusal::Final)? {
            Some(reply) => self.respond(reply).await,
            None => Ok(()),
        }
    }

    /// A line was read, or the input has ended.
    async fn line(&mut self, line: Option<String>) -> Result<(), Refusal> {
        let (Some(input), Some(line)) = (&mut self.input, line) else {
            self.input = None;
            // A child of the same moment begins with the same characters.
            let child = self.questions.current().map(|prompt| prompt.execution).filter(|asks| *asks != self.id);
            let asks = child.map_or_else(|| short_one(&self.id), |child| child.to_string());
            let hint = format!("the question stays open; answer it with `pulse respond {asks} OPTION`");
            return self.view.say(&hint).map_err(Refusal::Final);
        };
        match self.questions.line(line, input, self.view).map_err(Refusal::Final)? {
            Some(reply) => self.respond(reply).await,
            None => Ok(()),
        }
    }

    async fn respond(&mut self, reply: Reply) -> Result<(), Refusal> {
        let Reply { execution, prompt, response, fields } = reply;
        let body = RespondRequest { response, prompt_id: Some(prompt), fields };
        let path = ["api", "executions", &execution.to_string(), "respond"];
        let Err(error) = self.client.post_quietly(&path, &body).await else { return Ok(()) };
        match error.status() {
            // Somebody was faster: the journal will say who.
            Some(409) => Ok(()),
            Some(422) => {
                self.questions.again();
                self.view.say(&error.to_string()).map_err(Refusal::Final)
            }
            Some(status) if status < 500 && status != 429 => {
                let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
                self.view.say(&format!("not answered: {error}{hint}")).map_err(Refusal::Final)
            }
            _ => {
                self.questions.again();
                Err(refusal(error))
            }
        }
    }
}

fn is_unheard(timeline: &Timeline) -> bool {
    timeline.seq() == 0
}
