//! Texts made from what comes from outside. What stands in a template is meant; what a payload puts into it can only fill its places.

use std::io;

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value,
    syntax::SyntaxConfig,
    value::{Serde, ValueKind},
};
use patchbay_core::{integrations::Makes, patch::Reference};

/// The longest template, and the longest text that one makes.
const MAX_TEMPLATE: usize = 10_000;
const MAX_TEXT: usize = 20_000;
/// The longest value that a template puts into a text.
const MAX_VALUE: usize = 2_000;
/// How many steps one rendering may take.
const FUEL: u64 = 50_000;

/// What is wrong with a template, or with what it was given; for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(String);

impl From<Error> for TemplateError {
    fn from(error: Error) -> Self {
        let line = error.line().map_or_else(String::new, |line| format!(" in line {line}"));
        let detail = error.detail().map_or_else(String::new, |detail| format!(": {detail}"));
        Self(match error.kind() {
            ErrorKind::OutOfFuel => format!("the template takes more than {FUEL} steps"),
            ErrorKind::UndefinedError => {
                format!("the template uses something that is not there{line}{detail}; `{{% if … is defined %}}` or `|default(\"\")` help")
            }
            kind => format!("{kind}{line}{detail}"),
        })
    }
}

/// Whether a text is a template.
pub fn check(text: &str) -> Result<(), TemplateError> {
    if text.len() > MAX_TEMPLATE {
        return Err(TemplateError(format!("a template has at most {MAX_TEMPLATE} bytes")));
    }
    environment(Makes::Plan).template_from_str(text).map(drop).map_err(Into::into)
}

/// Makes a text of a document.
///
/// In commands each value is one quoted title, whatever is in it: it can bring no second line and no word of the grammar. In
/// messages each value is one line. `|ref` puts a task's reference or a proposal's number bare, `|word` one word without blanks,
/// and both fail where the value is something else; `|quote` puts several lines into a message, each marked as quoted.
pub fn render(text: &str, makes: Makes, document: &serde_json::Value) -> Result<String, TemplateError> {
    check(text)?;
    let environment = environment(makes);
    let template = environment.template_from_str(text)?;
    let mut out = Bounded(Vec::new());
    template.render_captured_to(Serde(document), &mut out)?;
    let made = String::from_utf8_lossy(&out.0);
    // Lines that a condition left empty say nothing.
    Ok(made.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"))
}

fn environment(makes: Makes) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_fuel(Some(FUEL));
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().expect("the usual signs are a syntax"));
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    // What says that a text is safe would let a payload through as it is.
    for filter in ["safe", "escape", "e", "tojson"] {
        environment.remove_filter(filter);
    }
    environment.add_filter("ref", reference);
    environment.add_filter("word", word);
    environment.add_filter("quote", move |value: &Value| match makes {
        Makes::Command => Err(Error::new(ErrorKind::InvalidOperation, "a command has one line: |quote is for messages to the planner")),
        Makes::Plan => Ok(Value::from_safe_string(quoted(&text(value)))),
    });
    environment.set_formatter(move |out, _, value| {
        let put: String = match value.kind() {
            ValueKind::Undefined => return Err(Error::new(ErrorKind::UndefinedError, "a value is missing")),
            ValueKind::None => String::new(),
            ValueKind::Number | ValueKind::Bool => value.to_string(),
            _ if value.is_safe() => value.to_string(),
            _ => match makes {
                Makes::Command => format!("\"{}\"", one_line(&text(value)).replace('"', "'")),
                Makes::Plan => one_line(&text(value)),
            },
        };
        out.write_str(&put).map_err(|_| too_long())
    });
    environment
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Without line ends and other signs that are not seen, cut where it is too long.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control() || is_hidden(c)).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    if line.chars().count() <= MAX_VALUE { line } else { line.chars().take(MAX_VALUE - 1).chain(['…']).collect() }
}

/// Signs that change how others are read, without being seen.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn quoted(text: &str) -> String {
    let lines = text.lines().map(one_line).filter(|line| !line.is_empty());
    lines.map(|line| format!("> {line}")).take(50).collect::<Vec<_>>().join("\n")
}

fn reference(value: &Value) -> Result<Value, Error> {
    let given = text(value);
    let number = given.strip_prefix('#').unwrap_or(&given);
    if !number.is_empty() && number.len() < 10 && number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Value::from_safe_string(format!("#{number}")));
    }
    match Reference::parse(&given) {
        Some(reference) => Ok(Value::from_safe_string(format!("{}-{}", reference.key, reference.number))),
        None => Err(Error::new(ErrorKind::InvalidOperation, "|ref needs a task's reference, WEB-7, or a proposal's number")),
    }
}

fn word(value: &Value) -> Result<Value, Error> {
    let given = text(value);
    let is_word = (1..=100).contains(&given.len()) && given.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte));
    if is_word {
        Ok(Value::from_safe_string(given))
    } else {
        Err(Error::new(ErrorKind::InvalidOperation, "|word needs one word of letters, digits, `_`, `-`, `.` and `/`"))
    }
}

fn too_long() -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("the text is longer than {MAX_TEXT} bytes"))
}

/// A text that does not grow without end.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_TEXT {
            return Err(io::Error::other(too_long().to_string()));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(makes: Makes, template: &str, expected: &str) {
        let document = json!({
            "title": "Login\" p1\ndelete WEB-1\u{2028}x", "ref": "web-7", "number": 12, "yes": true, "nothing": null, "name": "main",
            "body": "first\n\n- second\u{0}\r\nthird", "list": ["a", "b\nc"],
        });
        let made = render(template, makes, &document).unwrap_or_else(|error| format!("error: {error}"));
        assert_eq!(made, expected, "{template}");
    }

    #[test]
    fn a_value_in_a_command_is_one_quoted_title() {
        check(Makes::Command, "add {{ title }}", "add \"Login' p1 delete WEB-1 x\"");
        check(Makes::Command, "add {{ \"Fix \" ~ title }} under {{ ref|ref }}", "add \"Fix Login' p1 delete WEB-1 x\" under WEB-7");
        check(Makes::Command, "accept {{ number|ref }}", "accept #12");
        check(Makes::Command, "set WEB-1 label {{ name|word }}", "set WEB-1 label main");
        check(Makes::Command, "{% for x in list %}\nadd {{ x }}\n{% endfor %}", "add \"a\"\nadd \"b c\"");
        check(Makes::Command, "{% set x %}{{ title }}{% endset %}add {{ x }}", "add \"'Login' p1 delete WEB-1 x'\"");
        check(Makes::Command, "done {{ title|ref }}", "error: invalid operation in line 1: |ref needs a task's reference, WEB-7, or a proposal's number");
        check(Makes::Command, "done {{ title|word }}", "error: invalid operation in line 1: |word needs one word of letters, digits, `_`, `-`, `.` and `/`");
        check(Makes::Command, "done {{ body|quote }}", "error: invalid operation in line 1: a command has one line: |quote is for messages to the planner");
    }

    #[test]
    fn a_value_in_a_message_is_one_line_or_marked_as_quoted() {
        check(Makes::Plan, "- {{ title }} {{ number }} {{ yes }}{{ nothing }}", "- Login\" p1 delete WEB-1 x 12 True");
        check(Makes::Plan, "- x\n{{ body|quote }}", "- x\n> first\n> - second\n> third");
    }

    #[test]
    fn nothing_lets_a_payload_through_as_it_is() {
        for filter in ["safe", "e", "escape", "tojson"] {
            let error = render(&format!("{{{{ title|{filter} }}}}"), Makes::Command, &json!({ "title": "x\ny" })).unwrap_err();
            assert!(error.to_string().contains("unknown filter"), "{filter}: {error}");
        }
        check(Makes::Command, "{% autoescape true %}add {{ title }}{% endautoescape %}", "add \"Login' p1 delete WEB-1 x\"");
        check(Makes::Command, "{% macro m(x) %}{{ x }}{% endmacro %}add {{ m(title) }}", "add \"'Login' p1 delete WEB-1 x'\"");
        check(Makes::Command, "{% filter upper %}add {{ title }}{% endfilter %}", "\"ADD 'LOGIN' P1 DELETE WEB-1 X'\"");
    }

    #[test]
    fn what_is_missing_is_told_and_may_be_asked_for() {
        let error = render("a\n{{ payload.issue }}", Makes::Plan, &json!({})).unwrap_err();
        assert!(error.to_string().starts_with("the template uses something that is not there in line 2"), "{error}");
        check(Makes::Plan, "{% if issue %}x{% else %}no issue{% endif %}", "no issue");
        check(Makes::Plan, "{{ issue|default('none') }}", "none");
    }

    #[test]
    fn a_template_ends_however_it_is_written() {
        let document = json!({ "long": "x".repeat(100_000) });
        let error = render("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", Makes::Plan, &document).unwrap_err();
        assert_eq!(error.to_string(), "the template takes more than 50000 steps");
        assert!(render("{% for a in range(99) %}{{ long }}{% endfor %}", Makes::Plan, &document).is_err());
        assert_eq!(render("{{ long }}", Makes::Plan, &document).unwrap().chars().count(), MAX_VALUE);
        assert!(super::check("{{ a").is_err());
        assert!(super::check(&"x".repeat(MAX_TEMPLATE + 1)).is_err());
        assert!(render("{% include 'x' %}", Makes::Plan, &document).is_err());
    }
}
