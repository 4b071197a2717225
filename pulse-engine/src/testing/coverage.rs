//! Which parts of a workflow tests went through, and which no test did.

use pulse_core::event::{Entry, Event, OpenOption};
use pulse_core::ids::StepId;
use pulse_core::status::StepStatus;
use pulse_core::workflow::{OnError, OnTimeout, Step, StepKind, Workflow};
use serde::Serialize;
use std::collections::HashMap;

/// What of a workflow tests went through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Everything there is to go through, in document order.
    pub items: Vec<CoverageItem>,
}

/// One thing to go through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CoverageItem {
    /// Of which step.
    pub step: StepId,
    /// What it is.
    pub kind: CoverageKind,
    /// Which, in words: the condition, the option, where it leads.
    pub what: String,
    /// How often tests went through it.
    pub hits: u32,
}

/// What there is to go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CoverageKind {
    /// The step ran.
    Step,
    /// The step was left out because of its condition.
    Skipped,
    /// A route's condition was taken; or none, where there is no default.
    Route,
    /// A prompt's option was chosen.
    Option,
    /// A prompt's time was over, where the document says what happens then.
    Timeout,
    /// The step failed, where the document says where that leads.
    OnError,
}

impl CoverageKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Skipped => "skipped",
            Self::Route => "route",
            Self::Option => "option",
            Self::Timeout => "timeout",
            Self::OnError => "on_error",
        }
    }
}

/// Steps of a document, those in other steps included.
pub(super) fn all_steps(workflow: &Workflow) -> Vec<&Step> {
    workflow.all_steps().into_iter().map(|(step, _)| step).collect()
}

impl Coverage {
    /// Everything that a workflow has, gone through by nobody yet.
    pub fn of(workflow: &Workflow) -> Self {
        let mut items = Vec::new();
        for step in all_steps(workflow) {
            let mut add = |kind, what: String| {
                items.push(CoverageItem { step: step.id.clone(), kind, what, hits: 0 });
            };
            add(CoverageKind::Step, String::new());
            if let Some(condition) = &step.condition {
                add(CoverageKind::Skipped, format!("not {}", condition.text));
            }
            match &step.kind {
                StepKind::Route(route) => {
                    for condition in &route.conditions {
                        let when = condition.when.as_ref().map_or("default", |when| when.text.as_str());
                        add(CoverageKind::Route, format!("{when} → {}", condition.goto.as_str()));
                    }
                    if route.conditions.iter().all(|condition| condition.when.is_some()) {
                        add(CoverageKind::Route, NO_MATCH.to_owned());
                    }
                }
                StepKind::Prompt(prompt) => {
                    for option in &prompt.options {
                        add(CoverageKind::Option, option.label.text.clone());
                    }
                    match &prompt.on_timeout {
                        OnTimeout::Fail => {}
                        OnTimeout::Option(option) => add(CoverageKind::Timeout, format!("counts as {option}")),
                        OnTimeout::Goto(goto) => add(CoverageKind::Timeout, format!("→ {}", goto.as_str())),
                    }
                }
                _ => {}
            }
            match &step.on_error {
                OnError::Fail => {}
                OnError::Continue => add(CoverageKind::OnError, "continue".to_owned()),
                OnError::Step(id) => add(CoverageKind::OnError, format!("→ {id}")),
            }
        }
        Self { items }
    }

    /// Counts what one execution went through: the steps that started, and its journal.
    pub fn observe(&mut self, started: &[StepId], journal: &[Entry]) {
        for id in started {
            self.hit(id, CoverageKind::Step, |_, _| true);
        }
        let mut asked: HashMap<&StepId, &[OpenOption]> = HashMap::new();
        for entry in journal {
            let Some(at) = entry.event.step() else { continue };
            let id = &at.step_id;
            match &entry.event {
                Event::StepSkipped { .. } => self.hit(id, CoverageKind::Skipped, |_, _| true),
                Event::RouteTaken { condition, goto, .. } => {
                    let taken = format!("{condition} → {goto}");
                    self.hit(id, CoverageKind::Route, |_, what| what == taken);
                }
                Event::RouteUnmatched { .. } => self.hit(id, CoverageKind::Route, |_, what| what == NO_MATCH),
                Event::Prompt { options, .. } => drop(asked.insert(id, options)),
                Event::PromptResponse { response, .. } => {
                    let options = asked.get(id).copied().unwrap_or_default();
                    let chosen = options.iter().position(|option| option.value == *response);
                    self.hit(id, CoverageKind::Option, |index, _| Some(index) == chosen);
                }
                Event::PromptTimeout { .. } => self.hit(id, CoverageKind::Timeout, |_, _| true),
                Event::StepFinished { status: StepStatus::Failed, .. } => {
                    self.hit(id, CoverageKind::OnError, |_, _| true);
                }
                _ => {}
            }
        }
    }

    /// Counts the first item of a kind that is meant, by its number among those of its kind and its words.
    fn hit(&mut self, step: &StepId, kind: CoverageKind, meant: impl Fn(usize, &str) -> bool) {
        let of_kind = self.items.iter_mut().filter(|item| item.step == *step && item.kind == kind).enumerate();
        if let Some((_, item)) = of_kind.into_iter().find(|(index, item)| meant(*index, &item.what)) {
            item.hits += 1;
        }
    }

    /// Adds what other tests of the same workflow went through.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.items.iter_mut().zip(&other.items) {
            mine.hits += theirs.hits;
        }
    }

    /// What no test went through.
    pub fn missing(&self) -> impl Iterator<Item = &CoverageItem> {
        self.items.iter().filter(|item| item.hits == 0)
    }

    /// How much was gone through, and how much there is.
    pub fn counts(&self) -> (usize, usize) {
        (self.items.iter().filter(|item| item.hits > 0).count(), self.items.len())
    }
}

const NO_MATCH: &str = "no match";
