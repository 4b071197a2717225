//! Small things done to text in several places: shortening it, and making hostile text harmless on a terminal.

/// The text shortened to at most `limit` characters, with `…` where something was cut.
pub fn shorten(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// The last `limit` bytes of a text, moved to a character boundary.
pub fn tail(text: &str, limit: usize) -> &str {
    let mut start = text.len().saturating_sub(limit);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// One line for a log or a terminal: control characters shown as escapes, so that nothing can fake another line.
pub fn one_line(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// Text for a terminal from a program we do not trust: keeps tabs, newlines and colours (SGR), drops every other
/// escape sequence and control character.
pub fn terminal_safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => skip_or_keep_escape(&mut chars, &mut out),
            '\n' | '\t' => out.push(c),
            '\r' if chars.peek() == Some(&'\n') => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

fn skip_or_keep_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    match chars.next() {
        Some('[') => {
            let mut parameters = String::new();
            for c in chars.by_ref() {
                match c {
                    '0'..='9' | ';' | ':' if parameters.len() < 64 => parameters.push(c),
                    'm' => {
                        out.push_str(&format!("\x1b[{parameters}m"));
                        return;
                    }
                    '\x40'..='\x7e' => return,
                    _ => {}
                }
            }
        }
        // OSC, DCS, SOS, PM, APC: text up to BEL or ST.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let mut previous = ' ';
            for c in chars.by_ref() {
                if c == '\x07' || (previous == '\x1b' && c == '\\') {
                    return;
                }
                previous = c;
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_colours_reach_the_terminal() {
        let hostile = "a\x1b[31mred\x1b[0m\x1b]0;title\x07b\x1b[2J\x1b]8;;http://x\x1b\\link\x08\x00c\r\nd\re";
        assert_eq!(terminal_safe(hostile), "a\x1b[31mred\x1b[0mblinkc\nde");
    }

    #[test]
    fn cuts_at_characters() {
        assert_eq!(shorten("äöü", 2), "äö…");
        assert_eq!(tail("aäb", 2), "b");
        assert_eq!(one_line("a\nb\x1b[0m"), "a\\nb\\u{1b}[0m");
    }
}
