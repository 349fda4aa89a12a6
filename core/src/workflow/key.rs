//! The key of a new project, where nobody chose one.

/// A key made from a title that is none of those taken: `Sign-in flow` becomes `SIGN`, then `SIGN2`.
pub(super) fn stem(title: &str) -> String {
    let mut letters = title
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.to_uppercase())
        .filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()) && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
    letters.find(|word| !LITTLE.contains(&word.as_str())).map_or_else(|| "PLAN".to_owned(), |word| word.chars().take(6).collect())
}

/// Words that say nothing about a project.
const LITTLE: [&str; 16] = ["A", "AN", "THE", "NEW", "BUILD", "MAKE", "CREATE", "PLAN", "MY", "OUR", "FOR", "OF", "TO", "AND", "WE", "I"];

/// The stem itself, or with the first number that makes it free.
pub(super) fn free(stem: &str, taken: &[String]) -> String {
    if !taken.iter().any(|key| key == stem) {
        return stem.to_owned();
    }
    (2_u32..).map(|n| format!("{stem}{n}")).find(|key| !taken.contains(key)).expect("numbers do not end")
}

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

    #[test]
    fn a_taken_key_gets_a_number() {
        assert_eq!(free("WEB", &[]), "WEB");
        assert_eq!(free("WEB", &["WEB".into(), "WEB2".into()]), "WEB3");
    }
}
