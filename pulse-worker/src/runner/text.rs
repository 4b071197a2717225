//! Bytes of a command as text: in pieces, never cutting a character, with what is no UTF-8 (and NUL) replaced.

/// Appends as much of `bytes` to `text` as fits into `limit` bytes of text. Returns how many bytes were used: less than
/// all when the limit was reached, or when the last character is not complete yet and more may come (`!at_end`).
pub fn append(text: &mut String, bytes: &[u8], limit: usize, at_end: bool) -> usize {
    let mut used = 0;
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        let taken = append_valid(text, valid, limit);
        used += taken;
        if taken < valid.len() {
            return used;
        }
        let invalid = chunk.invalid();
        let may_become_valid = used + invalid.len() == bytes.len()
            && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
        if invalid.is_empty() || (may_become_valid && !at_end) {
            return used;
        }
        if text.len() + char::REPLACEMENT_CHARACTER.len_utf8() > limit {
            return used;
        }
        text.push(char::REPLACEMENT_CHARACTER);
        used += invalid.len();
    }
    used
}

/// Appends what fits of valid text, with NUL replaced. Returns how many bytes of it were used.
fn append_valid(text: &mut String, valid: &str, limit: usize) -> usize {
    let mut used = 0;
    let mut parts = valid.split('\0').peekable();
    while let Some(part) = parts.next() {
        let fits = floor_boundary(part, limit.saturating_sub(text.len()));
        text.push_str(&part[..fits]);
        used += fits;
        if fits < part.len() {
            break;
        }
        if parts.peek().is_some() {
            if text.len() + char::REPLACEMENT_CHARACTER.len_utf8() > limit {
                break;
            }
            text.push(char::REPLACEMENT_CHARACTER);
            used += 1;
        }
    }
    used
}

/// The largest character boundary up to `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds bytes in slices of `step`, carrying over what was not used, and joins the pieces.
    fn through(bytes: &[u8], step: usize, limit: usize) -> String {
        let (mut carried, mut all) = (Vec::new(), String::new());
        let mut slices = bytes.chunks(step).peekable();
        while let Some(slice) = slices.next() {
            carried.extend_from_slice(slice);
            let at_end = slices.peek().is_none();
            loop {
                let mut piece = String::new();
                let used = append(&mut piece, &carried, limit, at_end);
                carried.drain(..used);
                assert!(piece.len() <= limit);
                all.push_str(&piece);
                if used == 0 {
                    break;
                }
            }
        }
        assert!(carried.is_empty(), "left over: {carried:?}");
        all
    }

    #[test]
    fn any_cut_gives_the_same_text() {
        let samples: [&[u8]; 6] = [
            "gr\u{fc}\u{df} \u{20ac} \u{1f600} e\u{301}\n".as_bytes(),
            b"a\0b\0\0c",
            b"\xff\xfe\x80 \xe2\x82 \xf0\x9f\x98",
            b"\xe2\x28\xa1\xc3\xa4\xed\xa0\x80",
            b"plain",
            b"\xf0\x9f\x98\x80\xf0\x9f",
        ];
        for sample in samples {
            let expected = String::from_utf8_lossy(sample).replace('\0', "\u{fffd}");
            for step in 1..=sample.len() {
                for limit in [4, 5, 7, 64] {
                    assert_eq!(through(sample, step, limit), expected, "{sample:?} by {step}, limit {limit}");
                }
            }
        }
    }

    #[test]
    fn an_incomplete_character_waits_unless_it_is_the_end() {
        let mut text = String::new();
        assert_eq!(append(&mut text, b"a\xe2\x82", 64, false), 1);
        assert_eq!(append(&mut text, b"\xe2\x82", 64, true), 2);
        assert_eq!(text, "a\u{fffd}");
    }
}
