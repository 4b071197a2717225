//! Frames: lists of steps that run, and how they ended.

use super::Active;
use pulse_core::event::StepRef;
use pulse_core::ids::{FrameId, StepId};
use pulse_core::status::StepStatus;
use serde_json::Value;
use std::sync::Arc;

/// The running of one list of steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The step that runs it; `None` for the top-level lists.
    pub owner: Option<StepRef>,
    /// Which list of the document.
    pub list: u32,
    /// Which of its owner's frames, from 0.
    pub index: u32,
    /// What it is called.
    pub name: String,
    /// The item that its steps see, under its name.
    pub item: Option<(String, Arc<Value>)>,
    /// Where it is.
    pub position: Position,
    /// The step at its position, when that has started and not ended.
    pub active: Option<Active>,
    /// The last command that ended in it or before it, as expressions see it.
    pub last: Option<Arc<Value>>,
    /// The last execute step whose commands ended: what a parse step reads.
    pub last_step: Option<(FrameId, StepId)>,
    /// Why it failed, once it has; before, why the step before failed, if it did.
    pub error: Option<String>,
}

impl Frame {
    /// A frame before its first step.
    pub(crate) fn new(list: u32, name: &str) -> Self {
        Self {
            owner: None,
            list,
            index: 0,
            name: name.to_owned(),
            item: None,
            position: Position::Start,
            active: None,
            last: None,
            last_step: None,
            error: None,
        }
    }

    /// Whether its list is over.
    pub fn is_over(&self) -> bool {
        matches!(self.position, Position::Ended | Position::Failed)
    }
}

/// Where a frame is in its list of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// Before its first step.
    Start,
    /// At a step.
    At(StepId),
    /// It has ended well.
    Ended,
    /// It has failed.
    Failed,
}

/// How a frame of a step ended.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameResult {
    /// What it is called.
    pub name: String,
    /// Its item.
    pub item: Option<Arc<Value>>,
    /// How it ended.
    pub status: StepStatus,
    /// Why it failed.
    pub error: Option<String>,
    /// The last command that ended in it.
    pub last: Option<Arc<Value>>,
}
