//! What people write in Slack as plain text. <https://docs.slack.dev/messaging/formatting-message-text>

/// With links, names and signs as people see them: `<@U1|ana>` is `@ana`, `<https://example.org|docs>` is `docs (https://example.org)`.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('<') {
        plain.push_str(&unescape(before));
        let Some((inner, behind)) = behind.split_once('>') else {
            plain.push('<');
            rest = behind;
            continue;
        };
        plain.push_str(&unescape(&shown(inner)));
        rest = behind;
    }
    plain.push_str(&unescape(rest));
    plain.replace(['\u{a0}', '\u{2003}'], " ").trim().to_owned()
}

/// Whom a text names: as they stand in [`plain`], and what Slack calls them.
pub(super) fn mentions(text: &str) -> Vec<(String, String)> {
    let inner = text.split("<@").skip(1).filter_map(|rest| rest.split_once('>')).map(|(inner, _)| inner);
    inner
        .map(|inner| (format!("@{}", inner.split_once('|').map_or(inner, |(_, label)| label)), inner.split('|').next().unwrap_or_default().to_owned()))
        .collect()
}

/// Without the mention of the one who is spoken to.
pub(super) fn without_mention(text: &str, user: &str) -> String {
    text.replacen(&format!("<@{user}>"), "", 1)
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn shown(inner: &str) -> String {
    let (target, label) = inner.split_once('|').map_or((inner, None), |(target, label)| (target, Some(label).filter(|label| !label.is_empty())));
    match target.split_at_checked(1) {
        Some(("@", user)) => format!("@{}", label.unwrap_or(user)),
        Some(("#", room)) => format!("#{}", label.unwrap_or(room)),
        Some(("!", special)) => match label {
            Some(label) => label.to_owned(),
            None => format!("@{}", special.split('^').next_back().unwrap_or_default()),
        },
        _ => {
            let address = target.strip_prefix("mailto:").unwrap_or(target);
            match label {
                // What Slack made a link of by itself.
                Some(label) if address.trim_end_matches('/').ends_with(label.trim_end_matches('/')) => label.to_owned(),
                Some(label) => format!("{label} ({address})"),
                None => address.to_owned(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_slack_read_as_people_see_them() {
        for (text, expected) in [
            ("add \"Fix it\" to <@U2CERLKJA|ana>", "add \"Fix it\" to @ana"),
            ("ask <@U2CERLKJA> in <#C1|general>, <!here>", "ask @U2CERLKJA in #general, @here"),
            ("see <https://example.org/a?b=1&amp;c=2|the docs>", "see the docs (https://example.org/a?b=1&c=2)"),
            ("<http://example.org|example.org> <https://example.org> <mailto:a@example.org|a@example.org>", "example.org https://example.org a@example.org"),
            ("a &lt; b &amp;&amp; c &gt; d &amp;lt;", "a < b && c > d &lt;"),
            ("<!subteam^S1|@ops> <!date^1392734382^{date}|today> <!subteam^S2>", "@ops today @S2"),
            ("5 < 6", "5 < 6"),
            ("<>", ""),
            ("two\u{a0}words ", "two words"),
        ] {
            assert_eq!(plain(text), expected);
        }
        let named = |mark: &str, id: &str| (mark.to_owned(), id.to_owned());
        assert_eq!(mentions("<@U1|ana> asks <@U2>, <#C1> <@U3"), [named("@ana", "U1"), named("@U2", "U2")]);
        assert_eq!(without_mention("<@U1> add this for <@U1>", "U1"), " add this for <@U1>");
    }
}
