//! Target selectors on the command line, checked before anything is sent.

use pulse_core::workflow::parse_selectors;

/// Reads one option's value: one selector, or several separated by commas. Label selectors keep their commas.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(text: &str) -> Result<Vec<String>, String> {
    parse_selectors(text).map_err(|error| error.to_string())?;
    Ok(if text.contains('=') {
        vec![text.trim().to_owned()]
    } else {
        text.split(',').map(|part| part.trim().to_owned()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_separate_names_and_join_labels() {
        assert_eq!(read("web-1, db-*").unwrap(), ["web-1", "db-*"]);
        assert_eq!(read("role=db,zone!=b").unwrap(), ["role=db,zone!=b"]);
        assert!(read("web-1,").is_err() && read("=x").is_err());
    }
}
