//! A proposal as the two bodies of a mail. A mail has no pages; what it asks for stands at its end, behind all that it shows.

use patchbay_core::command::Reply;

use super::{
    Terminal,
    card::Card,
    diff, escape,
    page::{Line, faint, plain},
};

/// Columns of plain text (RFC 3676, section 4.2).
const WIDTH: usize = 76;
/// Characters of a subject that programs show.
const MAX_SUBJECT: usize = 78;

/// What goes into a `multipart/alternative` message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// One line, not longer than a subject may be read.
    pub subject: String,
    /// `text/plain; charset=utf-8`, lines of at most 76 columns where words allow it.
    pub text: String,
    /// `text/html; charset=utf-8`, a whole document that asks for nothing from elsewhere.
    pub html: String,
}

/// The mail. `link` is where the proposal can be seen; opening it decides nothing.
pub fn mail(card: &Card<'_>, link: Option<&str>) -> Mail {
    let (text, html) = bodies(card, link);
    let subject = subject(card);
    Mail { html: document(&subject, &html), text, subject }
}

/// An answer of ours, over a proposal where it shows one.
pub fn answer(reply: &Reply, card: Option<&Card<'_>>, link: Option<&str>) -> Mail {
    let mut text = super::reply(&reply.text, WIDTH).trim_end().to_owned();
    let mut options = comrak::Options::default();
    options.render.escape = true;
    options.extension.strikethrough = true;
    let mut html = comrak::markdown_to_html(&reply.text, &options);
    if let Some(card) = card {
        let (shown, shown_html) = bodies(card, link);
        text = format!("{text}\n\n{shown}");
        html = format!("{html}<hr>\n{shown_html}");
    } else {
        // What a proposal can be answered with stands below it.
        for action in &reply.actions {
            let (label, command) = (escape::line(&action.label), escape::line(&action.command));
            text = format!("{text}\n\n{label}: answer with \"{command}\".");
            html = format!("{html}<p>{}: answer with <code>{}</code>.</p>\n", escape::html(&label), escape::html(&command));
        }
        text.push('\n');
    }
    let subject = card.map_or_else(|| first_line(&super::plain(&reply.text)), subject);
    Mail { html: document(&subject, &html), text, subject }
}

fn subject(card: &Card<'_>) -> String {
    format!("#{} {} ({})", card.number, escape::line(card.title), diff::counts(&card.diff.counts))
}

/// What a text is about, as a subject.
fn first_line(text: &str) -> String {
    let line = escape::line(text.lines().next().unwrap_or_default()).into_owned();
    match line.char_indices().nth(MAX_SUBJECT) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

/// A proposal as plain text and as HTML.
fn bodies(card: &Card<'_>, link: Option<&str>) -> (String, String) {
    let mut page = card.page(diff::page(card.diff));
    let number = card.number;
    let mut say = |text: String| page.lines.push(Line::Text(vec![plain(text)]));
    if card.conflicts.is_empty() {
        say(format!(
            "Answer with \"accept #{number}\", with the operations you want as in \"accept #{number} 1,3-5\", with \"reject #{number}: why\", or with what should be different."
        ));
    } else {
        say(format!(
            "Settle each conflict first: answer with \"resolve #{number} 1 ours\" for what is proposed, \"resolve #{number} 1 theirs\" for what it is now, or with another value; or with \"reject #{number}: why\"."
        ));
    }
    if let Some(link) = link {
        say(format!("It can also be seen at {link}"));
    }
    page.lines.push(Line::Text(vec![faint(format!("Proposal {number}, revision {}, {}", card.revision, card.digest))]));
    let html = page.html();
    let html = link.map(escape::html).map_or_else(|| html.clone(), |link| html.replace(&link, &format!(r#"<a href="{link}">{link}</a>"#)));
    (page.terminal(Terminal { colour: false, width: WIDTH }), html)
}

/// The looks, tag by tag: mail programs drop style sheets. Colours are see-through, so that they go with a light ground and with a dark one.
const LOOKS: [(&str, &str); 6] = [
    ("<ul>", r#"<ul style="margin:4px 0;padding-left:20px">"#),
    ("<li>", r#"<li style="margin:4px 0">"#),
    ("<ins>", r#"<ins style="background:rgba(46,160,67,.25);text-decoration:none;border-radius:3px;padding:0 2px">"#),
    ("<del>", r#"<del style="background:rgba(248,81,73,.25);border-radius:3px;padding:0 2px">"#),
    ("<code>", r#"<code style="font-family:ui-monospace,Menlo,Consolas,monospace;opacity:.7">"#),
    ("<blockquote>", r#"<blockquote style="margin:4px 0;padding-left:12px;border-left:3px solid rgba(127,127,127,.5)">"#),
];

/// A tag in other people's text is escaped, so each that is found is ours.
fn document(title: &str, body: &str) -> String {
    let body = LOOKS.iter().fold(body.to_owned(), |body, (tag, styled)| body.replace(tag, styled));
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{}</title>
</head>
<body style="margin:0 auto;padding:16px;max-width:640px;font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;overflow-wrap:anywhere">
{body}</body>
</html>
"#,
        escape::html(title)
    )
}

#[cfg(test)]
mod tests;
