//! The key of a new project, where nobody chose one.

/// A key made from a title that is none of those taken: `Sign-in flow` becomes `SIGN`, then `SIGN2`.
pub(super) fn stem(title: &str) -> String {
    let mut letters = title
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_uppercase)
        .filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()) && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
    letters.find(|word| !LITTLE.contains(&word.as_str())).map_or_else(|| "PLAN".to_owned(), |word| word.chars().take(6).collect())
}

/// Words that say nothing about a project.
const LITTLE: [&str; 16] = ["A", "AN", "THE", "NEW", "BUILD", "MAKE", "CREATE", "PLAN", "MY", "OUR", "FOR", "OF", "TO", "AND", "WE", "I"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_first_word_that_says_something() {
        for (title, key) in
            [("Sign-in flow", "SIGN"), ("The new website", "WEBSIT"), ("Über-Projekt Web", "PROJEK"), ("", "PLAN"), ("日本", "PLAN"), ("2026 launch", "LAUNCH")]
        {
            assert_eq!(stem(title), key, "{title}");
        }
    }
}
