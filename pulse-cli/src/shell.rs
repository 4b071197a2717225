//! Words of a command line as text for a shell, meaning the same.

/// The line for a worker's shell: a single word is a line already; several are quoted so that each stays one word.
pub fn line(words: &[String]) -> String {
    match words {
        [line] => line.clone(),
        words => words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" "),
    }
}

/// One word, quoted only where a POSIX shell would read it as something else.
pub fn quote(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    // A leading `NAME=` would be an assignment, a leading word like `if` a keyword: only what is surely a plain word
    // stays bare.
    let keyword = matches!(
        word,
        "if" | "then" | "else" | "elif" | "fi" | "do" | "done" | "case" | "esac" | "while" | "until" | "for" | "in"
    );
    if !word.is_empty() && !keyword && !word.contains('=') && word.chars().all(harmless) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> String {
        line(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn means_what_was_typed() {
        assert_eq!(words(&["df -h | tail -1"]), "df -h | tail -1");
        assert_eq!(words(&["ls", "-l", "/tmp/a b"]), "ls -l '/tmp/a b'");
        assert_eq!(words(&["echo", "$(id)", "it's", "", "A=b"]), r"echo '$(id)' 'it'\''s' '' 'A=b'");
        assert_eq!(words(&["if", "x"]), "'if' x");
    }

    #[test]
    fn a_real_shell_agrees() {
        let hostile = ["'; touch /tmp/x; #", "$(id)", "a\nb", "\"'`\\", "*", "~", "!", "{a,b}", "", "-n", "é"];
        let mut all = vec!["printf", "%s\\0"];
        all.extend(hostile);
        let output = std::process::Command::new("/bin/sh").arg("-c").arg(words(&all)).output().unwrap();
        let expected: Vec<u8> = hostile.iter().flat_map(|w| w.bytes().chain([0])).collect();
        assert_eq!(output.stdout, expected);
    }
}
