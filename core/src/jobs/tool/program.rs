//! Programs of the machine, which the operator has named: off where none is.
//!
//! Who runs one gives it a text and nothing else: no arguments, no files, no surroundings. It has a directory of its own that goes
//! with it, so much time, memory and output as it was given, and is ended with all that it started.

use std::{collections::BTreeMap, process::Stdio, time::Duration};

use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process_group};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
};

use super::format::MAX_TEXT;
use crate::jobs::{Failure, Held, Job, Work};

/// What the operator lets be run: `[programs.spell]` of the settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The program, by its whole path, and its arguments.
    pub command: Vec<String>,
    #[serde(default = "timeout_s")]
    pub timeout_s: u64,
    /// Of address space, for each process of it.
    #[serde(default = "memory_mb")]
    pub memory_mb: u64,
    /// Of each of its two outputs, and of each file that it writes.
    #[serde(default = "output_kb")]
    pub output_kb: u64,
}

const fn timeout_s() -> u64 {
    30
}

const fn memory_mb() -> u64 {
    512
}

const fn output_kb() -> u64 {
    1024
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// One that the operator has named.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// What it reads from its standard input.
    #[serde(default)]
    #[schemars(length(max = MAX_TEXT))]
    text: String,
}

/// Sets the limits and becomes the program. The shell's own builtin is the one way to set them that needs no unsafe code here.
const LIMITED: &str = r#"ulimit -v "$1" && ulimit -t "$2" && ulimit -f "$3" && ulimit -c 0 || exit 126; shift 3; exec "$@""#;

/// Runs programs.
pub struct RunProgram {
    pub programs: BTreeMap<String, Program>,
}

#[async_trait]
impl Work for RunProgram {
    async fn run(&self, job: &Job, held: &Held) -> Result<Value, Failure> {
        let input: Input = super::input(job)?;
        let program = self.programs.get(&input.name).ok_or_else(|| Failure::Never { why: self.unknown(&input.name) })?;
        let dir = tempfile::tempdir().map_err(|error| later(&error))?;
        let mut child = program.spawn(dir.path()).map_err(|error| Failure::Never { why: format!("{} cannot be started: {error}", input.name) })?;
        let _ended_with_us = Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async {
            if let Some(mut stdin) = stdin {
                // It need not read all of it.
                let _ = stdin.write_all(input.text.as_bytes()).await;
            }
        };
        let most = program.output_kb * 1024;
        let run = async { tokio::join!(write, read(stdout, most), read(stderr, most), child.wait()) };
        let Ok(((), out, err, status)) = tokio::time::timeout(Duration::from_secs(program.timeout_s), run).await else {
            return Err(Failure::Never { why: format!("{} took longer than {} s and was ended", input.name, program.timeout_s) });
        };
        let (status, (out, out_cut), (err, err_cut)) =
            (status.map_err(|error| later(&error))?, out.map_err(|error| later(&error))?, err.map_err(|error| later(&error))?);
        held.say(format!("{} ended: {status}.", input.name));
        Ok(json!({ "ok": status.success(), "exit_code": status.code(), "output": out, "errors": err, "is_cut": out_cut || err_cut }))
    }
}

impl RunProgram {
    fn unknown(&self, name: &str) -> String {
        if self.programs.is_empty() {
            return "no program is allowed to be run: the operator names them in the settings, under [programs.NAME]".into();
        }
        format!("there is no program {name}; there are: {}", self.programs.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
    }
}

impl Program {
    fn spawn(&self, dir: &std::path::Path) -> std::io::Result<tokio::process::Child> {
        let limits = [self.memory_mb * 1024, self.timeout_s.max(1), self.output_kb * 2].map(|limit| limit.to_string());
        Command::new("/bin/sh")
            .args(["-c", LIMITED, "sh"])
            .args(limits)
            .args(&self.command)
            .env_clear()
            .envs([("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LANG", "C.UTF-8")])
            .envs([("HOME", dir), ("TMPDIR", dir)])
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }
}

/// A process with all that it started, which ends with this: also what would outlive the one that we know.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            // It is gone where nothing of it is left.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

/// The begin of an output, and whether there was more. The rest is read and dropped, so that who writes it is not held up.
async fn read(output: Option<impl AsyncRead + Unpin>, most: u64) -> std::io::Result<(String, bool)> {
    let Some(mut output) = output else { return Ok((String::new(), false)) };
    let mut kept = Vec::new();
    (&mut output).take(most).read_to_end(&mut kept).await?;
    let more = tokio::io::copy(&mut output, &mut tokio::io::sink()).await?;
    Ok((String::from_utf8_lossy(&kept).into_owned(), more > 0))
}

fn later(error: &std::io::Error) -> Failure {
    Failure::Later { after: None, why: error.to_string() }
}
