//! Masking against a plain statement of what it has to do, in every cut.

use super::*;
use proptest::prelude::*;

fn strings(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

/// What comes out of a stream that is read in these pieces; with what was passed on after each.
fn through(values: &[String], pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<u8>) {
    let Some(needles) = Needles::of(values) else { return (Vec::new(), pieces.concat()) };
    let (mut masker, mut out, mut seen) = (Masker::new(needles), Vec::new(), Vec::new());
    for piece in pieces {
        masker.push(piece, &mut out);
        seen.push(out.clone());
    }
    masker.finish(&mut out);
    (seen, out)
}

fn masked(values: &[&str], text: &str) -> String {
    String::from_utf8(through(&strings(values), &[text.as_bytes()]).1).unwrap()
}

/// The plain statement: every byte of every occurrence of every form is covered, and each stretch of covered bytes is
/// one mask.
fn plainly(values: &[String], text: &[u8]) -> Vec<u8> {
    let mut covered = vec![false; text.len()];
    for form in values.iter().flat_map(|value| forms(value)) {
        for at in 0..text.len() {
            if text[at..].starts_with(form.as_bytes()) {
                covered[at..at + form.len()].fill(true);
            }
        }
    }
    let mut out = Vec::new();
    for (at, byte) in text.iter().enumerate() {
        match covered[at] {
            false => out.push(*byte),
            true if at == 0 || !covered[at - 1] => out.extend_from_slice(MASK.as_bytes()),
            true => {}
        }
    }
    out
}

#[test]
fn every_form_is_masked_with_one_width() {
    let cases = [
        ("hunter2", "a hunter2 b", "a •••• b"),
        ("hunter2", "x=aHVudGVyMg== aHVudGVyMg aHVudGVyMgo=", "x=•••• •••• ••••"),
        ("hunter2", "hunter hunter2hunter2 hunter", "hunter •••• hunter"),
        ("a?b>c?>>", "YT9iPmM/Pj4= YT9iPmM_Pj4", "•••• ••••"),
        ("first line\nxy\nlast line\n", "first line\nxy\nlast line\n.", "••••."),
        ("first line\nxy\nlast line\n", "1 first line 2 xy 3 last line", "1 •••• 2 xy 3 ••••"),
        ("first line\nlast line", "first line\r\nlast line\r\n", "••••\r\n"),
        ("first line\n  last line", "last line,  last line", "••••,  ••••"),
        ("grüße", "grüß grüße", "grüß ••••"),
        ("abcabd", "abcabcabd", "abc••••"),
        ("\n", "a\nb\n", "a\nb\n"),
        ("", "anything", "anything"),
    ];
    for (value, text, expected) in cases {
        assert_eq!(masked(&[value], text), expected, "{value:?} in {text:?}");
    }
    // Overlapping, one within the other, one the beginning of the other.
    assert_eq!(masked(&["abcd", "cdef"], "_abcdef_abcd_"), "_••••_••••_");
    assert_eq!(masked(&["abc", "xabcx"], "xabcx xabc abcx"), "•••• x•••• ••••x");
    assert_eq!(masked(&["ab", "abcdef"], "abcdeX abcdef"), "••••cdeX ••••");
}

#[test]
fn base64_of_something_longer_shows_nothing_of_a_value_within() {
    let value = "correct-horse-battery";
    for before in ["", "u", "us", "user:", "Authorization: "] {
        for after in ["", "\n", "!!", " and more"] {
            let encoded = STANDARD.encode(format!("{before}{value}{after}"));
            let shown = masked(&[value], &encoded);
            assert_eq!(shown.matches(MASK).count(), 1, "{shown}");
            // What is left to both sides has at most a character that is partly of the value.
            let (left, right) = shown.split_once(MASK).unwrap();
            assert!(left.len() <= (before.len() * 8).div_ceil(6), "{shown}");
            assert!(right.trim_end_matches('=').len() <= (after.len() * 8).div_ceil(6) + 1, "{shown}");
        }
    }
}

#[test]
fn base64_is_masked_where_programs_break_its_lines() {
    let value = "-----BEGIN KEY-----\n".to_owned() + &"0123456789abcdefABCDEF\n".repeat(12) + "-----END KEY-----";
    for plain in [value.clone(), format!("{value}\n")] {
        for width in LINE_WIDTHS {
            let encoded = broken(&STANDARD.encode(&plain), width).unwrap();
            assert_eq!(masked(&[&value], &format!("<{encoded}\n>")), "<••••\n>");
        }
    }
}

#[test]
fn only_what_may_become_a_secret_is_held_back() {
    let values = strings(&["secret-value"]);
    let (seen, out) = through(&values, &[b"Password: ", b"sec", b"ond? ", b"secret-", b"value", b".", b"secr"]);
    let seen: Vec<&str> = seen.iter().map(|bytes| std::str::from_utf8(bytes).unwrap()).collect();
    let (first, second) = ("Password: ", "Password: second? ");
    assert_eq!(seen[..4], [first, first, second, second]);
    assert_eq!(seen[5], "Password: second? ••••.");
    assert_eq!(String::from_utf8(out).unwrap(), "Password: second? ••••.secr", "an end releases what was held");
}

#[test]
fn many_long_lines_take_no_time_to_speak_of() {
    // All lines begin alike: the worst for a search that starts again at every byte.
    let value: String = (0..2_000).map(|n| format!("aaaaaaaaaa{n}\n")).collect();
    let text = "aaaaaaaaaaa".repeat(100_000);
    assert_eq!(masked(&[&value], &text), text);
}

/// Words that have much in common with each other, and characters of several bytes.
fn word() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "ab", "ü", "\n", " ", "Q", "="]), 0..7)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_cut_gives_what_the_plain_statement_gives(
        values in prop::collection::vec(word(), 1..4),
        parts in prop::collection::vec((word(), 0..4_usize, any::<bool>()), 0..12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        // Noise, values, and values in Base64, one behind the other.
        let text: String = parts.iter().map(|(noise, index, encoded)| match values.get(*index) {
            Some(value) if *encoded => format!("{noise}{}", STANDARD.encode(value)),
            Some(value) => format!("{noise}{value}"),
            None => noise.clone(),
        }).collect();
        let text = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
        let (_, out) = through(&values, &pieces);
        prop_assert_eq!(&out, &plainly(&values, text));
        let single: Vec<&[u8]> = text.chunks(1).collect();
        prop_assert_eq!(through(&values, &single).1, out);
    }
}
