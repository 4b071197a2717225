//! Target selectors: which workers a step means. Resolving them against a registry is the engine's business.

use std::collections::BTreeMap;

/// One selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Every worker.
    All,
    /// One online worker, the least loaded.
    Any,
    /// Workers whose labels satisfy every requirement.
    Labels(Vec<Requirement>),
    /// Workers by name or id; `*` stands for any text, `?` for one character.
    Name(String),
}

/// One requirement of a label selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The label.
    pub label: String,
    /// Its value.
    pub value: String,
    /// Whether the label must have the value, or must not.
    pub equal: bool,
}

/// Why a text is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a target: {reason}")]
pub struct SelectorError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Selector {
    /// Reads one selector.
    ///
    /// # Errors
    /// When it is empty or a label requirement lacks its label.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let error = |reason| SelectorError { text: text.to_owned(), reason };
        match text.trim() {
            "" => Err(error("it is empty; use a worker's name, a pattern like web-*, labels like role=db, any or all")),
            "all" | "*" => Ok(Self::All),
            "any" => Ok(Self::Any),
            text if text.contains('=') => {
                let requirement = |part: &str| {
                    let (label, value, equal) = match part.split_once("!=") {
                        Some((label, value)) => (label, value, false),
                        None => {
                            let (label, value) = part.split_once('=').ok_or(error("each part needs label=value"))?;
                            (label, value, true)
                        }
                    };
                    match label.trim() {
                        "" => Err(error("a label is missing before `=`")),
                        label => Ok(Requirement { label: label.into(), value: value.trim().into(), equal }),
                    }
                };
                text.split(',').map(requirement).collect::<Result<_, _>>().map(Self::Labels)
            }
            name => Ok(Self::Name(name.to_owned())),
        }
    }

    /// Whether a worker is meant. [`Selector::Any`] means every worker here: picking one needs their loads.
    pub fn matches(&self, name: &str, id: &str, labels: &BTreeMap<String, String>) -> bool {
        match self {
            Self::All | Self::Any => true,
            Self::Labels(requirements) => requirements
                .iter()
                .all(|r| (labels.get(&r.label).map(String::as_str) == Some(r.value.as_str())) == r.equal),
            Self::Name(pattern) => name == pattern || id == pattern || glob(pattern.as_bytes(), name.as_bytes()),
        }
    }
}

/// Reads the selectors of one text: label selectors keep their commas, other texts are lists separated by commas.
///
/// # Errors
/// The first part that is no selector.
pub fn parse_selectors(text: &str) -> Result<Vec<Selector>, SelectorError> {
    if text.contains('=') { Ok(vec![Selector::parse(text)?]) } else { text.split(',').map(Selector::parse).collect() }
}

/// Matches `*` and `?`, in time proportional to the product of the lengths at worst.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((star_p, star_t)) => {
                    star = Some((star_p, star_t + 1));
                    p = star_p + 1;
                    t = star_t + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_mean_what_they_say() {
        let labels = BTreeMap::from([("role".to_owned(), "db".to_owned()), ("zone".to_owned(), "a".to_owned())]);
        let means = |text: &str| Selector::parse(text).unwrap().matches("web-01", "id-1", &labels);
        for text in ["all", "any", "web-01", "id-1", "web-*", "*-0?", "role=db", "role=db,zone!=b", "x!=y"] {
            assert!(means(text), "{text}");
        }
        for text in ["web", "web-02", "db-*", "role=web", "role=db,zone!=a", "web-?"] {
            assert!(!means(text), "{text}");
        }
        assert!(Selector::parse(" ").is_err() && Selector::parse("=x").is_err() && Selector::parse("a=b,c").is_err());
        assert_eq!(parse_selectors("a, b").unwrap().len(), 2);
        assert_eq!(parse_selectors("a=b,c=d").unwrap().len(), 1);
    }
}
