//! Reading a patch.

use std::iter::Peekable;

use patchbay_core::patch::ProjectPatch;
use serde_json::{Map, Value, json};

use super::{Kind, Section, TextFault, is_word_byte};
use crate::render::escape;

/// The patch that a text says. It has the right types; [whether it fits a plan](patchbay_core::patch::check) is another question.
pub fn parse(text: &str) -> Result<ProjectPatch, TextFault> {
    let lines = lines(text)?;
    let last = lines.last().map_or(1, |line| line.number);
    Reader { lines: lines.into_iter().peekable(), last }.patch()
}

/// A line that says something.
struct Line<'t> {
    /// From 1.
    number: usize,
    level: usize,
    text: &'t str,
}

impl Line<'_> {
    fn fault(&self, what: impl Into<String>) -> TextFault {
        TextFault { line: self.number, what: what.into() }
    }
}

/// More levels than a patch may have, and few enough to go down one by one.
const MAX_LEVEL: usize = 40;

fn lines(text: &str) -> Result<Vec<Line<'_>>, TextFault> {
    let mut lines = Vec::new();
    for (at, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line).trim_end_matches(' ');
        let bare = line.trim_start_matches(' ');
        let indent = line.len() - bare.len();
        let line = Line { number: at + 1, level: indent / 2, text: bare };
        let shown = escape::visible(bare);
        if shown != bare {
            return Err(line.fault(format!("something invisible stands in this line; written as an escape it is: {shown}")));
        }
        if indent % 2 == 1 || line.level > MAX_LEVEL {
            return Err(line.fault("each level is two blanks further in, and there are at most 40"));
        }
        if !bare.is_empty() {
            lines.push(line);
        }
    }
    Ok(lines)
}

struct Reader<'t, I: Iterator<Item = Line<'t>>> {
    lines: Peekable<I>,
    last: usize,
}

impl<'t, I: Iterator<Item = Line<'t>>> Reader<'t, I> {
    fn patch(mut self) -> Result<ProjectPatch, TextFault> {
        let last = self.last;
        match self.lines.next() {
            Some(line) if line.level == 0 && line.text == "patch" => {}
            Some(line) => return Err(line.fault("a patch begins with the line `patch`")),
            None => return Err(TextFault { line: 1, what: "there is nothing here; a patch begins with the line `patch`".to_owned() }),
        }
        let mut patch = self.body(Section::Patch, 1, Map::new())?;
        if self.next_at(0, |text| text == "* project").is_some() {
            let meta = self.body(Section::Project, 1, Map::new())?;
            patch.insert("meta_updates".to_owned(), meta.into());
        }
        let mut tasks = Vec::new();
        while let Some(line) = self.lines.next() {
            tasks.push(self.operation(&line, 0)?);
        }
        patch.insert("tasks".to_owned(), tasks.into());
        serde_json::from_value(patch.into()).map_err(|err| TextFault { line: last, what: err.to_string() })
    }

    fn next_at(&mut self, level: usize, is: impl Fn(&str) -> bool) -> Option<Line<'t>> {
        self.lines.next_if(|line| line.level == level && is(line.text))
    }

    /// The operation that a line begins.
    fn operation(&mut self, line: &Line<'_>, level: usize) -> Result<Value, TextFault> {
        let section = section(line.text).filter(|_| line.level == level);
        let Some(section) = section else { return Err(line.fault("an operation was expected here: `+ name \"Title\"`, `~ WEB-7` or `- WEB-9`")) };
        let (task, rest) = name(&line.text[2..]).map_err(|what| line.fault(what))?;
        let mut fields = Map::new();
        if section == Section::Create {
            let (title, rest) = rest.strip_prefix(' ').and_then(string).ok_or_else(|| line.fault("a new task has a title in quotes: `+ t1 \"Title\"`"))?;
            only(line, rest)?;
            fields.insert("title".to_owned(), title.into());
        } else {
            only(line, rest)?;
        }
        let fields = self.body(section, level + 1, fields)?;
        Ok(section.operation(&task, fields))
    }

    /// The fields below a line, and the operations.
    fn body(&mut self, section: Section, level: usize, mut fields: Map<String, Value>) -> Result<Map<String, Value>, TextFault> {
        let mut subtasks: Option<Vec<Value>> = None;
        while let Some(line) = self.lines.next_if(|line| line.level >= level) {
            if line.level > level {
                return Err(line.fault("this line stands too far in"));
            }
            if section.has_subtasks() && self::section(line.text).is_some() {
                let below = self.operation(&line, level)?;
                subtasks.get_or_insert_default().push(below);
                continue;
            }
            if section.has_subtasks() && line.text == "subtasks: []" && subtasks.is_none() {
                subtasks = Some(Vec::new());
                continue;
            }
            let (field, rest) = line.text.split_once(':').ok_or_else(|| line.fault("a field was expected here: `name: value`"))?;
            let kind = section.fields().iter().find(|(known, _)| *known == field).map(|(_, kind)| *kind);
            let kind = kind.ok_or_else(|| line.fault(format!("there is no field `{field}` in a {}", section.op())))?;
            let value = self.value(&line, kind, rest)?;
            section.check(field, &value).map_err(|err| line.fault(format!("{field}: {err}")))?;
            if fields.insert(field.to_owned(), value).is_some() {
                return Err(line.fault(format!("`{field}` is here twice")));
            }
        }
        if let Some(subtasks) = subtasks {
            fields.insert("subtasks".to_owned(), subtasks.into());
        }
        Ok(fields)
    }

    fn value(&mut self, line: &Line<'t>, kind: Kind, rest: &str) -> Result<Value, TextFault> {
        let fault = |what: &str| line.fault(what);
        let Some(rest) = rest.strip_prefix(' ') else {
            return if rest.is_empty() { self.below(line, kind) } else { Err(fault("a blank goes between the colon and the value")) };
        };
        match kind {
            _ if rest == "none" => Ok(Value::Null),
            Kind::Text => text(rest).map_err(|what| line.fault(what)).map(Value::from),
            Kind::Number => rest.parse::<i64>().map(Value::from).map_err(|_| fault("a whole number was expected")),
            Kind::List | Kind::Criteria => match edit(rest) {
                Some(Value::Array(list)) if kind == Kind::List || list.is_empty() => Ok(list.into()),
                Some(edit @ Value::Object(_)) if kind == Kind::List || edit == json!({ "add": [], "remove": [] }) => Ok(edit),
                _ if kind == Kind::Criteria => Err(fault("criteria stand on lines of their own below")),
                _ => Err(fault("a list was expected: `[a, b]`, or `add [a], remove [b]`")),
            },
            Kind::Names | Kind::Values if rest == "{}" => Ok(json!({})),
            Kind::Names | Kind::Values => Err(fault("names and values stand on lines of their own below")),
        }
    }

    /// A value on the lines below its field.
    fn below(&mut self, line: &Line<'t>, kind: Kind) -> Result<Value, TextFault> {
        let below: Vec<_> = std::iter::from_fn(|| self.lines.next_if(|next| next.level > line.level)).collect();
        if below.is_empty() {
            return Err(line.fault("the value is missing; nothing is written `none`, and an empty text `\"\"`"));
        }
        if let Some(deep) = below.iter().find(|next| next.level > line.level + 1) {
            return Err(deep.fault("this line stands too far in"));
        }
        match kind {
            Kind::Text => {
                let lines: Result<Vec<_>, _> =
                    below.iter().map(|line| block_line(line.text).ok_or_else(|| line.fault("a line of text was expected: `| text`"))).collect();
                Ok(lines?.join("\n").into())
            }
            Kind::Criteria => criteria(&below),
            Kind::Names | Kind::Values => map(&below, kind),
            Kind::Number | Kind::List => Err(line.fault("the value stands on the field's own line")),
        }
    }
}

fn section(text: &str) -> Option<Section> {
    [Section::Create, Section::Update, Section::Delete].into_iter().find(|section| text.strip_prefix(section.sign()).is_some_and(|rest| rest.starts_with(' ')))
}

fn only(line: &Line<'_>, rest: &str) -> Result<(), TextFault> {
    if rest.is_empty() { Ok(()) } else { Err(line.fault(format!("nothing was expected behind it, but there is `{}`", rest.trim_start()))) }
}

/// A string of JSON's, and what is behind it.
fn string(text: &str) -> Option<(String, &str)> {
    let mut strings = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let string = strings.next()?.ok()?;
    Some((string, &text[strings.byte_offset()..]))
}

/// A name, in quotes or not, and what is behind it.
fn name(text: &str) -> Result<(String, &str), &'static str> {
    if text.starts_with('"') {
        return string(text).ok_or(QUOTES);
    }
    let end = text.bytes().position(|byte| !is_word_byte(byte)).unwrap_or(text.len());
    if end == 0 { Err("a name was expected, in quotes where it is more than a word") } else { Ok((text[..end].to_owned(), &text[end..])) }
}

const QUOTES: &str = "a text in quotes is written as in JSON: `\"…\"`, with `\\\"`, `\\\\`, `\\n` and `\\u200b`";

fn text(rest: &str) -> Result<String, &'static str> {
    if rest.starts_with('"') {
        return string(rest).filter(|(_, rest)| rest.is_empty()).map(|(text, _)| text).ok_or(QUOTES);
    }
    if rest.contains('\\') {
        return Err("a text with a backslash needs quotes");
    }
    if rest.starts_with(' ') || rest.contains("  ") {
        return Err("a text with more than one blank in a row needs quotes");
    }
    Ok(rest.to_owned())
}

fn block_line(line: &str) -> Option<String> {
    let line = line.strip_prefix('|')?;
    let line = if line.is_empty() { line } else { line.strip_prefix(' ')? };
    serde_json::from_str(&format!("\"{}\"", line.replace('"', "\\\""))).ok()
}

/// `[a, b]`, or `add [a], remove [b]`.
fn edit(text: &str) -> Option<Value> {
    if text.starts_with('[') {
        return whole(list(text)?).map(Value::from);
    }
    let (add, rest) = match text.strip_prefix("add ") {
        Some(rest) => {
            let (add, rest) = list(rest)?;
            if rest.is_empty() {
                return Some(json!({ "add": add, "remove": [] }));
            }
            (add, rest.strip_prefix(", ")?)
        }
        None => (Vec::new(), text),
    };
    let remove = whole(list(rest.strip_prefix("remove ")?)?)?;
    Some(json!({ "add": add, "remove": remove }))
}

fn whole<T>((value, rest): (T, &str)) -> Option<T> {
    rest.is_empty().then_some(value)
}

fn list(text: &str) -> Option<(Vec<String>, &str)> {
    let mut rest = text.strip_prefix('[')?;
    let mut list = Vec::new();
    if let Some(rest) = rest.strip_prefix(']') {
        return Some((list, rest));
    }
    loop {
        let (member, behind) = if rest.starts_with('"') {
            string(rest)?
        } else {
            let end = rest.find([',', ']', '[', '"'])?;
            (self::text(&rest[..end]).ok().filter(|text| !text.is_empty() && !text.ends_with(' '))?, &rest[end..])
        };
        list.push(member);
        match behind.strip_prefix(", ") {
            Some(behind) => rest = behind,
            None => return Some((list, behind.strip_prefix(']')?)),
        }
    }
}

fn criteria(lines: &[Line<'_>]) -> Result<Value, TextFault> {
    let (mut list, mut add, mut remove) = (Vec::new(), Vec::new(), Vec::new());
    for line in lines {
        let known = match line.text.split_at_checked(2) {
            Some(("+ ", new)) => criterion(new).map(|new| add.push(new)),
            Some(("- ", old)) => name(old).ok().and_then(whole).map(|old| remove.push(old)),
            _ => criterion(line.text).map(|new| list.push(new)),
        };
        known.ok_or_else(|| line.fault("a criterion was expected: `[ ] \"Text\"` or `[x] c1 \"Text\"`, with `+ ` before it in a change, or `- c1`"))?;
    }
    if list.is_empty() {
        Ok(json!({ "add": add, "remove": remove }))
    } else if add.is_empty() && remove.is_empty() {
        Ok(list.into())
    } else {
        Err(lines[0].fault("criteria either replace all, or each has a `+` or a `-` before it"))
    }
}

fn criterion(text: &str) -> Option<Value> {
    let (is_done, rest) = match text.split_at_checked(4)? {
        ("[ ] ", rest) => (false, rest),
        ("[x] ", rest) => (true, rest),
        _ => return None,
    };
    let (first, rest) = name(rest).ok()?;
    match rest.strip_prefix(' ') {
        Some(rest) => Some(json!({ "id": first, "text": whole(string(rest)?)?, "done": is_done })),
        None if text.ends_with('"') && rest.is_empty() => Some(json!({ "text": first, "done": is_done })),
        None => None,
    }
}

fn map(lines: &[Line<'_>], kind: Kind) -> Result<Value, TextFault> {
    let mut map = Map::new();
    for line in lines {
        let (key, rest) = name(line.text).map_err(|what| line.fault(what))?;
        let rest = rest.strip_prefix(": ").ok_or_else(|| line.fault("a name and a value were expected: `name: value`"))?;
        let value = match kind {
            Kind::Values => serde_json::from_str(rest).map_err(|err| line.fault(format!("the value is not JSON: {err}")))?,
            _ if rest == "none" => Value::Null,
            _ => text(rest).map_err(|what| line.fault(what))?.into(),
        };
        if map.insert(key, value).is_some() {
            return Err(line.fault("this name is here twice"));
        }
    }
    Ok(map.into())
}
