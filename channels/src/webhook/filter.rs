//! Which deliveries and events are meant: a `JSONPath` filter (RFC 9535) over the whole document.

use serde_json::Value;
use serde_json_path::JsonPath;

/// The longest filter.
const MAX_LENGTH: usize = 2000;

/// A filter: an expression on the document, `@.event == 'issues.opened'`, or a query that has to find something, `$.payload.issue`.
#[derive(Debug)]
pub struct Filter {
    path: JsonPath,
    is_query: bool,
}

/// What is wrong with a filter, for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(String);

impl Filter {
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let text = text.trim();
        if text.chars().count() > MAX_LENGTH {
            return Err(FilterError(format!("a filter has at most {MAX_LENGTH} characters")));
        }
        if text.starts_with('$')
            && let Ok(path) = JsonPath::parse(text)
        {
            return Ok(Self { path, is_query: true });
        }
        let path = JsonPath::parse(&format!("$[?{text}]"));
        path.map(|path| Self { path, is_query: false }).map_err(|error| {
            FilterError(format!("this is no filter ({}): write a condition as `@.event == 'issues.opened' && @.payload.number > 5`", error.message()))
        })
    }

    /// Whether it means a document.
    pub fn is_met(&self, document: &Value) -> bool {
        if self.is_query {
            return !self.path.query(document).is_empty();
        }
        // An expression is asked of each element of a list: here of the only one.
        let list = Value::Array(vec![document.clone()]);
        !self.path.query(&list).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(filter: &str, expected: bool) {
        let document =
            json!({ "event": "check_run.completed", "payload": { "check_run": { "conclusion": "failure", "name": "e2e" }, "labels": [{ "name": "bug" }] } });
        assert_eq!(Filter::parse(filter).unwrap().is_met(&document), expected, "{filter}");
    }

    #[test]
    fn an_expression_is_asked_of_the_document() {
        check("@.event == 'check_run.completed'", true);
        check("@.event == 'check_run.completed' && @.payload.check_run.conclusion == 'success'", false);
        check("@.payload.check_run.conclusion == 'failure' || @.payload.check_run.conclusion == 'timed_out'", true);
        check("@.payload.labels[?@.name == 'bug']", true);
        check("search(@.payload.check_run.name, 'e.e')", true);
        check("@.payload.issue", false);
    }

    #[test]
    fn a_query_has_to_find_something() {
        check("$.payload.check_run", true);
        check("$.payload.issue", false);
        check("$..labels[?@.name == 'feature']", false);
    }

    #[test]
    fn what_is_no_filter_is_told_with_an_example() {
        for bad in ["", "event = 'x'", "@.event ==", "$.a == "] {
            let error = Filter::parse(bad).unwrap_err();
            assert!(error.to_string().contains("@.event == 'issues.opened'"), "{bad}: {error}");
        }
        assert!(Filter::parse(&"@.a ".repeat(1000)).is_err());
    }
}
