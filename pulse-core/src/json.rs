//! JSON that commands print and clients send: numbers that would be changed by reading them.

use std::borrow::Cow;

/// The same JSON, with each whole number that 64 bits cannot hold as the text that it is written as. What is no JSON stays
/// none.
pub fn exact(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    // The last sign before, white space left out.
    let mut before = b' ';
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += 1;
                while bytes.get(at).is_some_and(|byte| *byte != b'"') {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let start = at;
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                at += bytes[at..].iter().take_while(|byte| is_part(byte)).count();
                let next = bytes[at..].iter().find(|byte| !byte.is_ascii_whitespace());
                // Not a key, nor anything else that only looks like a number.
                let is_value = b":,[ ".contains(&before) && next.is_none_or(|next| b",]}".contains(next));
                if is_value && is_too_large(&json[start..at]) {
                    out.push_str(&json[copied..start]);
                    out.push('"');
                    out.push_str(&json[start..at]);
                    out.push('"');
                    copied = at;
                }
            }
            _ => at += 1,
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    out.push_str(&json[copied..]);
    Cow::Owned(out)
}

/// A whole number as JSON writes them, beyond 64 bits.
fn is_too_large(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let whole = !digits.starts_with('0') && !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    whole && number.parse::<i64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::exact;

    #[test]
    fn what_64_bits_cannot_hold_becomes_text() {
        let large = r#"{"a": 12345678901234567890, "b":[-9223372036854775809 ,1],"c":{"d":9223372036854775808}}"#;
        let kept = r#"{"a": "12345678901234567890", "b":["-9223372036854775809" ,1],"c":{"d":"9223372036854775808"}}"#;
        assert_eq!(exact(large), kept);
        for same in [
            r#"{"a": 9223372036854775807, "b": -9223372036854775808, "c": 1.10, "d": 1e30, "e": 12345678901234567890.5}"#,
            r#"{"12345678901234567890": "x\\\": 12345678901234567890,"}"#,
            "{12345678901234567890: 1}",
            r#"{"a": 012345678901234567890}"#,
            r#"{"a": 12345678901234567890x}"#,
            r#"{"a": 1 12345678901234567890}"#,
            r#"["unclosed \"#,
            "äöü",
        ] {
            assert_eq!(exact(same), same);
        }
        assert_eq!(exact("12345678901234567890"), "\"12345678901234567890\"");
    }
}
