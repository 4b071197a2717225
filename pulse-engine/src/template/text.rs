//! The text that a placeholder becomes.

use super::error::{RenderError, RenderErrorKind};
use super::filter::Filter;
use super::parsed::Placeholder;
use crate::expr::Scope;
use serde_json::Value;
use std::borrow::Cow;

/// Evaluates a placeholder. Text stays as it is, everything else is compact JSON.
pub(super) fn of(placeholder: &Placeholder, scope: &Scope) -> Result<String, RenderError> {
    let source = placeholder.expr.source();
    let text = match placeholder.expr.eval(scope)? {
        Value::Null => {
            let error = RenderError::new(RenderErrorKind::Missing, source, format!("{{{{ {source} }}}} has no value"));
            return Err(error
                .help(format!("set it before, or give a value for when it is missing: {{{{ {source} ?? \"…\" }}}}")));
        }
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(Filter::apply(placeholder.filter, Cow::Owned(text)).into_owned())
}
