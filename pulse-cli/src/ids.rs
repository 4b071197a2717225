//! Short forms of ids: as long as they must be to be told apart, so that what a list shows can be pasted.

/// Characters of a UUIDv7's time part with its dash: two ids share them only when made in the same millisecond.
const TIME_PART: usize = 13;

/// The shortest beginnings, of at least the time part, that tell these ids apart.
pub fn short<T: ToString>(ids: &[T]) -> Vec<String> {
    let full: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let mut sorted: Vec<&str> = full.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted.dedup();
    full.iter()
        .map(|id| {
            let at = sorted.partition_point(|other| *other < id.as_str());
            let neighbours = [at.checked_sub(1).map(|i| sorted[i]), sorted.get(at + 1).copied()];
            let shared = neighbours.into_iter().flatten().map(|other| common(id, other)).max().unwrap_or(0);
            id.chars().take((shared + 1).max(TIME_PART)).collect()
        })
        .collect()
}

/// The short form of one id.
pub fn short_one(id: &impl ToString) -> String {
    id.to_string().chars().take(TIME_PART).collect()
}

fn common(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_enough_to_be_told_apart() {
        let ids = [
            "0198c2f4-7a1b-7000-8000-000000000001",
            "0198c2f4-7a1b-7100-8000-000000000001",
            "0198c2f4-7a1c-7000-8000-000000000001",
        ];
        assert_eq!(short(&ids), ["0198c2f4-7a1b-70", "0198c2f4-7a1b-71", "0198c2f4-7a1c"]);
        assert_eq!(short(&ids[2..]), ["0198c2f4-7a1c"]);
        assert_eq!(short(&[ids[0], ids[0]]), ["0198c2f4-7a1b", "0198c2f4-7a1b"]);
    }
}
