//! Parameters: what they may be, and turning what was given into values.

use super::model::Concerning;
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;

/// A parameter's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum ParamType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// One of the options.
    Choice,
    /// Text that is never stored or shown in clear.
    Secret,
}

/// What stands wherever a secret's value would: always the same, however long the value is.
pub const MASK: &str = "••••";
/// Longest value of a secret, in bytes: keys and certificates fit.
pub const MAX_SECRET_BYTES: usize = 32 * 1024;

/// A declared parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Param {
    /// `[A-Za-z_][A-Za-z0-9_]*`.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ParamType,
    /// Shown to the person who starts the workflow.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub description: Option<String>,
    /// Used when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional, type = "string | number | boolean"))]
    pub default: Option<Value>,
    /// Whether something must be given.
    pub required: bool,
    /// A regular expression that a text must match.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub pattern: Option<String>,
    /// Smallest number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub min: Option<f64>,
    /// Largest number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub max: Option<f64>,
    /// What a choice offers.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub options: Vec<String>,
    /// Where it is declared.
    #[serde(skip)]
    #[cfg_attr(test, ts(skip))]
    pub concerning: Concerning,
}

/// A parameter that cannot be used as given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadParam {
    /// Its name.
    pub name: String,
    /// What is wrong, naming it.
    pub message: String,
}

impl Param {
    /// The value a given one stands for: the command line and forms send text, which is read by the parameter's type.
    ///
    /// # Errors
    /// When the value is not of the type or breaks one of the parameter's rules.
    pub fn accept(&self, given: &Value) -> Result<Value, BadParam> {
        let bad = |message: String| BadParam { name: self.name.clone(), message };
        let wrong = |what: &str| bad(format!("parameter `{}` must be {what}, not {}", self.name, shown(given)));
        match self.kind {
            ParamType::String => {
                let text = scalar_text(given).ok_or_else(|| wrong("text"))?;
                match self.matches(&text).map_err(bad)? {
                    Some(pattern) => Err(wrong(&format!("text that matches {pattern}"))),
                    None => Ok(Value::String(text)),
                }
            }
            ParamType::Secret => {
                // Never `wrong`, which shows what was given.
                let text = scalar_text(given).ok_or_else(|| bad(format!("secret `{}` must be text", self.name)))?;
                if text.len() > MAX_SECRET_BYTES {
                    return Err(bad(format!("secret `{}` is longer than {MAX_SECRET_BYTES} bytes", self.name)));
                }
                if text.contains('\0') {
                    return Err(bad(format!("secret `{}` holds a NUL, which no command can be given", self.name)));
                }
                match self.matches(&text).map_err(bad)? {
                    Some(pattern) => Err(bad(format!("secret `{}` must be text that matches {pattern}", self.name))),
                    None => Ok(Value::String(text)),
                }
            }
            ParamType::Choice => match scalar_text(given).filter(|text| self.options.contains(text)) {
                Some(text) => Ok(Value::String(text)),
                None => Err(wrong(&format!("one of {}", self.options.join(", ")))),
            },
            ParamType::Boolean => match given {
                Value::Bool(_) => Ok(given.clone()),
                Value::String(text) if text == "true" || text == "false" => Ok(Value::Bool(text == "true")),
                _ => Err(wrong("true or false")),
            },
            ParamType::Integer => {
                let number = match given {
                    Value::Number(number) => number.as_i64(),
                    Value::String(text) => text.trim().parse().ok(),
                    _ => None,
                };
                let number = number.ok_or_else(|| wrong(too_large(given, WHOLE).unwrap_or("a whole number")))?;
                self.in_range(number as f64).map_err(|what| wrong(&what))?;
                Ok(Value::Number(number.into()))
            }
            ParamType::Number => {
                let number = match given {
                    Value::Number(number) => number.as_f64(),
                    Value::String(text) => text.trim().parse().ok(),
                    _ => None,
                };
                let value = number.and_then(Number::from_f64);
                let value = value.ok_or_else(|| wrong(too_large(given, LARGEST).unwrap_or("a number")))?;
                self.in_range(number.unwrap_or_default()).map_err(|what| wrong(&what))?;
                Ok(if given.is_number() { given.clone() } else { Value::Number(value) })
            }
        }
    }

    /// The pattern, if the text does not match it.
    fn matches(&self, text: &str) -> Result<Option<&str>, String> {
        let Some(pattern) = &self.pattern else { return Ok(None) };
        let regex = compile(pattern).map_err(|error| format!("parameter `{}`: {error}", self.name))?;
        Ok((!regex.is_match(text)).then_some(pattern.as_str()))
    }

    fn in_range(&self, number: f64) -> Result<(), String> {
        match (self.min, self.max) {
            (Some(min), _) if number < min => Err(format!("at least {min}")),
            (_, Some(max)) if number > max => Err(format!("at most {max}")),
            _ => Ok(()),
        }
    }
}

/// What to do about a pattern that does not compile.
pub(super) const PATTERN_HELP: &str = "write a backslash before . * + ? ( ) [ ] { } | ^ $ that stand for themselves; \
                                       there are no look-around and no references back";

/// Compiles a pattern with a bounded size, so that a hostile one cannot take much memory.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    regex::RegexBuilder::new(pattern).size_limit(1 << 20).build().map_err(|error| {
        let text = error.to_string();
        format!("the pattern does not compile: {}", text.lines().last().unwrap_or_default().trim())
    })
}

/// What an integer and a number must be.
const WHOLE: &str = "a whole number from -9223372036854775808 to 9223372036854775807";
const LARGEST: &str = "a number from -1.8e308 to 1.8e308";

/// What a value must be that is a number of the kind, and too large for it.
fn too_large(given: &Value, range: &'static str) -> Option<&'static str> {
    let text = scalar_text(given)?;
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let number = match range {
        WHOLE if given.is_number() => {
            given.as_f64().is_some_and(|number| number.fract() == 0.0 && number.abs() >= 9e18)
        }
        WHOLE => !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()),
        _ => digits.starts_with(|c: char| c.is_ascii_digit()) && text.parse::<f64>().is_ok(),
    };
    number.then_some(range)
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn shown(value: &Value) -> String {
    crate::text::shorten(&crate::text::one_line(&value.to_string()), 60)
}

/// All parameters of an execution: what was given, read by its type, with defaults for the rest.
///
/// # Errors
/// Every parameter that is missing, unknown, or breaks its rules.
pub fn resolve_params(declared: &[Param], given: &Map<String, Value>) -> Result<Map<String, Value>, Vec<BadParam>> {
    let mut bad = Vec::new();
    let mut values = Map::new();
    for name in given.keys().filter(|name| !declared.iter().any(|param| param.name == **name)) {
        let hint = crate::diagnostic::did_you_mean(name, declared.iter().map(|param| param.name.as_str()));
        let known = declared.iter().map(|param| param.name.as_str()).collect::<Vec<_>>().join(", ");
        let hint = hint.unwrap_or_else(|| match known.as_str() {
            "" => "the workflow has no parameters".into(),
            known => format!("it has {known}"),
        });
        bad.push(BadParam { name: name.clone(), message: format!("there is no parameter `{name}`: {hint}") });
    }
    for param in declared {
        let value = match given.get(&param.name).filter(|value| !value.is_null()) {
            Some(value) => param.accept(value),
            None => match &param.default {
                Some(default) => Ok(default.clone()),
                None if param.required => Err(BadParam {
                    name: param.name.clone(),
                    message: format!("parameter `{}` is missing: give it with -p {}=…", param.name, param.name),
                }),
                None => continue,
            },
        };
        match value {
            Ok(value) => {
                values.insert(param.name.clone(), value);
            }
            Err(error) => bad.push(error),
        }
    }
    if bad.is_empty() { Ok(values) } else { Err(bad) }
}

/// The answers to what else a question asks, like [`resolve_params`].
///
/// # Errors
/// Every field that is missing, unknown, or breaks its rules.
pub fn resolve_fields(declared: &[Param], given: &Map<String, Value>) -> Result<Map<String, Value>, Vec<BadParam>> {
    let missing =
        |name: &String| declared.iter().any(|field| field.name == *name) && given.get(name).is_none_or(Value::is_null);
    resolve_params(declared, given).map_err(|bad| {
        let reworded = bad.into_iter().map(|bad| match missing(&bad.name) {
            true => BadParam {
                message: format!("field `{}` is missing: give it with -f {}=…", bad.name, bad.name),
                ..bad
            },
            false => bad,
        });
        reworded.collect()
    })
}

/// Takes the values of secrets out of resolved parameters; [`MASK`] stands in their place then. What is left may be
/// stored and shown.
pub fn take_secrets(declared: &[Param], values: &mut Map<String, Value>) -> BTreeMap<String, String> {
    let mut secrets = BTreeMap::new();
    for param in declared.iter().filter(|param| param.kind == ParamType::Secret) {
        if let Some(value) = values.get_mut(&param.name)
            && let Value::String(secret) = std::mem::replace(value, Value::String(MASK.to_owned()))
        {
            secrets.insert(param.name.clone(), secret);
        }
    }
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn secret(definition: &str) -> Param {
        let parsed = super::super::parse(&format!("params: [{{name: token, {definition}}}]\nsteps: [{{command: x}}]"));
        parsed.into_result().unwrap().params.remove(0)
    }

    #[test]
    fn what_is_wrong_with_a_secret_never_shows_it() {
        let param = secret("type: secret, pattern: '^hush-'");
        assert_eq!(param.accept(&json!("hush-canary")), Ok(json!("hush-canary")));
        let long = format!("hush-canary{}", "x".repeat(MAX_SECRET_BYTES));
        for given in [json!("canary"), json!(["canary"]), json!({"canary": 1}), json!("hush-canary\0"), json!(long)] {
            let error = param.accept(&given).unwrap_err();
            assert!(error.message.starts_with("secret `token`") && !error.message.contains("canary"), "{error}");
        }
    }

    #[test]
    fn secrets_are_taken_out() {
        let declared = [secret("type: secret"), Param { name: "mount".into(), ..secret("type: string") }];
        let mut values = json!({"token": "canary", "mount": "/"}).as_object().cloned().unwrap();
        let secrets = take_secrets(&declared, &mut values);
        assert_eq!(secrets, [("token".to_owned(), "canary".to_owned())].into());
        assert_eq!(Value::Object(values), json!({"token": MASK, "mount": "/"}));
        assert!(take_secrets(&declared, &mut Map::new()).is_empty());
    }
}
