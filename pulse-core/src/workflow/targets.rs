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
    /// What is wrong with it, and what to write.
    pub reason: &'static str,
}

/// What a text must not look like to be the name of a worker or a pattern: what other programs write for labels and sets.
fn misread(name: &str) -> Option<&'static str> {
    let count = |c: char| name.matches(c).count();
    let set = name.find('[').is_some_and(|at| at > 0 && !name[..at].ends_with(char::is_whitespace));
    let words = [" in (", " in(", " notin (", " notin("];
    if words.iter().any(|word| name.contains(word)) {
        Some("labels have no sets; write role=a and role=b as two entries of a list")
    } else if count('(') != count(')') || count('{') != count('}') || count('[') != count(']') {
        Some("a bracket is not closed; patterns have `*` for any text and `?` for one character")
    } else if set {
        Some("patterns have no sets of characters; `?` is one character, `*` any text")
    } else if name.starts_with('!') {
        Some("a name cannot be left out; labels can: zone!=b")
    } else {
        None
    }
}

/// The same for a requirement on a label.
fn bad_requirement(label: &str, value: &str) -> Option<&'static str> {
    if label.is_empty() {
        Some("a label is missing before `=`; write label=value, like role=db")
    } else if label.ends_with(['!', '<', '>', '~', ':']) || value.starts_with(['=', '~']) {
        Some("labels are compared with `=` and `!=`; write role=db or role!=db")
    } else if label.contains(|c: char| c.is_whitespace() || "()[]{}".contains(c)) {
        Some("a label has no blanks or brackets; write label=value, like role=db")
    } else {
        None
    }
}

impl Selector {
    /// Reads one selector.
    ///
    /// # Errors
    /// When it is empty, a label requirement lacks its label, or it is written as other programs write labels and sets.
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
                            let parts = part.split_once('=');
                            let (label, value) = parts.ok_or(error(
                                "each part needs label=value; names and labels together are entries of a list",
                            ))?;
                            (label, value, true)
                        }
                    };
                    let (label, value) = (label.trim(), value.trim());
                    match bad_requirement(label, value) {
                        Some(reason) => Err(error(reason)),
                        None => Ok(Requirement { label: label.into(), value: value.into(), equal }),
                    }
                };
                text.split(',').map(requirement).collect::<Result<_, _>>().map(Self::Labels)
            }
            name => match misread(name) {
                Some(reason) => Err(error(reason)),
                None => Ok(Self::Name(name.to_owned())),
            },
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
    if text.contains('=') {
        return Ok(vec![Selector::parse(text)?]);
    }
    // Commas in brackets separate nothing that is meant: what is wrong is wrong with the whole.
    let parts = text.split(',').map(Selector::parse).collect();
    if text.contains(['(', '[', '{']) { Selector::parse(text).and(parts) } else { parts }
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
        for text in ["role==db", "role!==db", "role=~db", "role in (a,b)", "role in (a)", "[abc", "web-[12]", "!web-1"]
        {
            assert!(parse_selectors(text).is_err(), "{text}");
        }
        for text in ["role in (a,b),zone=x", "role = = db", "web-1,", "ro le=x", "role=db,web-01", "a,(b"] {
            assert!(parse_selectors(text).is_err(), "{text}");
        }
        // Odd names of workers, and odd values of labels.
        for text in ["web (old)", "web, db (old), [new] db", "size=>4", "key=a=b==", "role=", "a{b}", "größe=1"] {
            assert!(parse_selectors(text).is_ok(), "{text}");
        }
        assert_eq!(parse_selectors("a, b").unwrap().len(), 2);
        assert_eq!(parse_selectors("a=b,c=d").unwrap().len(), 1);
    }
}
