//! The workflow language: what a document says, with the place of everything that can be wrong.
//!
//! [`parse`] reads a document and reports all of its mistakes at once. What expressions and templates mean is
//! `pulse-engine`'s business: here they are text with a position.

mod children;
mod cycles;
mod decode;
mod decode_nested;
mod decode_prompt;
mod decode_step;
mod fields;
mod flow;
mod hints;
mod links;
mod model;
mod params;
mod steps;
mod targets;

pub use children::resolve_child_params;
pub use decode::{ANSWER_NAMES, Parsed, is_reserved_name, is_webhook, parse};
pub use flow::{Flow, Ring, Rings};
pub use model::{Concerning, Concurrency, ConcurrencyPolicy, Defaults, OnError, Source, Workflow};
pub use params::{BadParam, MASK, MAX_SECRET_BYTES, Param, ParamType, resolve_fields, resolve_params, take_secrets};
pub use steps::{
    Backoff, Branch, Child, Condition, Execute, Foreach, Goto, Items, OnOffline, OnTimeout, Parallel, Parse,
    ParseFormat, Program, Prompt, PromptOption, Retry, Route, Set, Step, StepKind, Strategy, Threshold, Wait, WaitFor,
    Width,
};
pub use targets::{Selector, SelectorError, parse_selectors};
