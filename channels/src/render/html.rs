//! A page as a fragment of HTML, for mail and other places without our style sheet.

use std::fmt::Write;

use super::{
    escape,
    page::{Line, Mark, Page, Span, Style},
};

pub(super) fn paint(page: &Page) -> String {
    let mut html = String::new();
    // How many lists are open; each has an open item.
    let mut open = 0;
    let mut in_quote = false;
    for line in &page.lines {
        if in_quote && !matches!(line, Line::Quote { .. }) {
            html.push_str("</blockquote>");
            in_quote = false;
        }
        match line {
            Line::Heading(spans) | Line::Text(spans) => {
                close(&mut html, &mut open, 0);
                let _ = writeln!(html, "<p>{}</p>", inline(spans));
            }
            Line::Item(item) => {
                let level = item.level + 1;
                if open >= level {
                    close(&mut html, &mut open, level);
                    html.push_str("</li>\n");
                }
                while open < level {
                    html.push_str(if open + 1 == level { "<ul>\n" } else { "<ul>\n<li>" });
                    open += 1;
                }
                html.push_str("<li>");
                if let Some(number) = item.number {
                    let _ = write!(html, "<code>{number}</code> ");
                }
                html.push_str(sign(item.mark));
                html.push_str(&inline(&item.spans));
            }
            Line::Quote { text, .. } => {
                html.push_str(if in_quote { "<br>\n" } else { "<blockquote>" });
                html.push_str(&escape::html(text));
                in_quote = true;
            }
        }
    }
    if in_quote {
        html.push_str("</blockquote>");
    }
    close(&mut html, &mut open, 0);
    html
}

/// Closes lists until so many are open.
fn close(html: &mut String, open: &mut usize, level: usize) {
    while *open > level {
        html.push_str("</li>\n</ul>\n");
        *open -= 1;
    }
}

const fn sign(mark: Mark) -> &'static str {
    match mark {
        Mark::None => "",
        Mark::Created => "<b>+</b> ",
        Mark::Changed => "<b>~</b> ",
        Mark::Moved => "<b>&gt;</b> ",
        Mark::Deleted => "<b>&minus;</b> ",
        Mark::Open => "&#9744; ",
        Mark::Active => "&#9686; ",
        Mark::Waiting => "&#9888; ",
        Mark::Done => "&#9745; ",
    }
}

fn inline(spans: &[Span]) -> String {
    spans
        .iter()
        .map(|span| {
            let text = escape::padded(&span.text, escape::html);
            match span.style {
                Style::Plain => text,
                Style::Strong => escape::around(&text, "<strong>", "</strong>"),
                Style::Added => escape::around(&text, "<ins>", "</ins>"),
                Style::Removed => escape::around(&text, "<del>", "</del>"),
                Style::Faint => escape::around(&text, "<small>", "</small>"),
                Style::Warning => escape::around(&text, "<em>", "</em>"),
            }
        })
        .collect()
}
