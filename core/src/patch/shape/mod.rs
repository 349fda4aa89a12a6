//! Gate 1, shape: from bytes to a patch that obeys the published JSON Schema.
//!
//! A good patch is parsed once, straight into the types. Only where that fails the bytes are read again
//! and held against the schema, operation by operation, so that every fault is told at its own path.

mod explain;

pub use explain::Schema;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Fault, ProjectPatch, TaskPatch};

/// The most bytes that a patch may have.
pub const MAX_BYTES: usize = 256 * 1024;
/// The most operations, nested ones included.
pub const MAX_OPERATIONS: usize = 500;
/// The most levels of operations: one without `subtasks` is one level.
pub const MAX_NESTING: usize = 6;

/// Reads a patch of a project.
pub fn parse(bytes: &[u8]) -> Result<ProjectPatch, Vec<Fault>> {
    let patch: ProjectPatch = typed(bytes, explain::project)?;
    check_sizes("/tasks", &patch.tasks)?;
    Ok(patch)
}

/// Reads a patch of one task.
pub fn parse_task(bytes: &[u8]) -> Result<TaskPatch, Vec<Fault>> {
    let patch: TaskPatch = typed(bytes, explain::task)?;
    check_sizes("", std::slice::from_ref(&patch))?;
    Ok(patch)
}

fn typed<T: DeserializeOwned>(bytes: &[u8], explain: impl FnOnce(&Value) -> Vec<Fault>) -> Result<T, Vec<Fault>> {
    if bytes.len() > MAX_BYTES {
        return Err(vec![
            Fault::new("", "the patch is too large")
                .found(format!("{} KiB", bytes.len().div_ceil(1024)))
                .expected(format!("at most {} KiB", MAX_BYTES / 1024))
                .fix("send it as several patches"),
        ]);
    }
    let reason = match serde_json::from_slice(bytes) {
        Ok(patch) => return Ok(patch),
        Err(reason) => reason,
    };
    match serde_json::from_slice(bytes) {
        Err(reason) => Err(vec![Fault::new("", format!("this cannot be read as JSON: {reason}"))]),
        Ok(value) => {
            let faults = explain(&value);
            // What the schema cannot say, such as a key that comes twice, serde says.
            Err(if faults.is_empty() { vec![Fault::new("", reason.to_string())] } else { faults })
        }
    }
}

/// What the types let pass: sizes, and the id that only Patchbay gives.
fn check_sizes(path: &str, tasks: &[TaskPatch]) -> Result<(), Vec<Fault>> {
    let mut sizes = Sizes::default();
    sizes.walk(tasks, 1);
    let mut faults = Vec::new();
    if sizes.operations > MAX_OPERATIONS {
        faults.push(
            Fault::new(path, "the patch has too many operations")
                .found(sizes.operations.to_string())
                .expected(format!("at most {MAX_OPERATIONS}"))
                .fix("send it as several patches"),
        );
    }
    if sizes.levels > MAX_NESTING {
        faults.push(
            Fault::new(path, "operations are nested too deep")
                .found(format!("{} levels", sizes.levels))
                .expected(format!("at most {MAX_NESTING}"))
                .fix("name the parent with parent_id instead"),
        );
    }
    if sizes.has_id {
        given_ids(path, tasks, &mut faults);
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn given_ids(path: &str, tasks: &[TaskPatch], faults: &mut Vec<Fault>) {
    for (index, task) in tasks.iter().enumerate() {
        let path = if path.is_empty() { String::new() } else { format!("{path}/{index}") };
        if matches!(task, TaskPatch::Create(create) if create.id.is_some()) {
            faults.push(Fault::new(format!("{path}/id"), "a new task gets its id from Patchbay").fix("leave `id` out, and give a temporary name in `task_id`"));
        }
        given_ids(&format!("{path}/body/subtasks"), task.subtasks(), faults);
    }
}

#[derive(Default)]
struct Sizes {
    operations: usize,
    levels: usize,
    has_id: bool,
}

impl Sizes {
    fn walk(&mut self, tasks: &[TaskPatch], level: usize) {
        self.operations += tasks.len();
        for task in tasks {
            self.levels = self.levels.max(level);
            self.has_id |= matches!(task, TaskPatch::Create(create) if create.id.is_some());
            self.walk(task.subtasks(), level + 1);
        }
    }
}
