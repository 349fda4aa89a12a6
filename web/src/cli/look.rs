//! How the program speaks: results to standard output, everything else to standard error; colour only on a terminal.

use std::io::{IsTerminal, Write};

/// Whether standard output wants colour.
pub(super) fn has_colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// A line of the result.
pub(super) fn say(line: &str) {
    // A closed pipe is the reader's choice.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A part of a line, shown at once.
pub(super) fn part(text: &str) {
    let mut out = std::io::stdout();
    let _ = write!(out, "{text}");
    let _ = out.flush();
}

/// What went wrong, and how to mend it.
pub(super) fn error(text: &str) {
    let mark = if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() { "\u{1b}[31merror:\u{1b}[0m" } else { "error:" };
    let _ = writeln!(std::io::stderr(), "{mark} {text}");
}

/// Something beside the result.
pub(super) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Something beside the result that is written over by the next; only for a terminal.
pub(super) fn over(text: &str) {
    let mut out = std::io::stderr();
    let _ = write!(out, "\r\u{1b}[K{text}");
    let _ = out.flush();
}

/// Bold, where there is colour.
pub(super) fn bold(text: &str) -> String {
    if has_colour() { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Faint, where there is colour.
pub(super) fn faint(text: &str) -> String {
    if has_colour() { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// How wide the terminal is.
pub(super) fn width() -> usize {
    rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| usize::from(size.ws_col)).filter(|width| *width >= 20).unwrap_or(100)
}

/// Rows with columns as wide as their widest cell.
pub(super) fn table(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> =
        (0..columns).map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default()).collect();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count()))).collect();
        say(cells.join("  ").trim_end());
    }
}
