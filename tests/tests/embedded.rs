//! The embedded Postgres: what its start, its stop and their accidents promise.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use patchbay_core::db::embedded::{self, Discovery, Error, Installation, Options, Server};
use patchbay_tests::until::until;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tempfile::TempDir;

/// A folder that other accounts may pass through, as data directories of root must allow.
fn scratch() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("patchbay-embedded-").permissions(fs::Permissions::from_mode(0o755)).tempdir()?)
}

fn installation(data_dir: &Path) -> Result<Installation> {
    Ok(embedded::discover(&Discovery { data_dir: data_dir.to_owned(), ..Discovery::default() })?)
}

/// Durability costs seconds here and proves nothing.
fn quick() -> Options {
    with([("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off")])
}

fn with<const N: usize>(settings: [(&str, &str); N]) -> Options {
    Options { settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(), ..Options::default() }
}

async fn start(data_dir: &Path) -> Result<Server> {
    Ok(Server::start(data_dir, &installation(data_dir)?, &quick()).await?)
}

/// The error of a start that must fail.
async fn refusal(data_dir: &Path, options: &Options) -> Result<Error> {
    match Server::start(data_dir, &installation(data_dir)?, options).await {
        Ok(_) => bail!("it started"),
        Err(error) => Ok(error),
    }
}

async fn ask(options: &PgConnectOptions, sql: &'static str) -> Result<String> {
    let mut conn = PgConnection::connect_with(options).await?;
    let answer = sqlx::query_scalar(sql).fetch_one(&mut conn).await?;
    conn.close().await?;
    Ok(answer)
}

async fn run(options: &PgConnectOptions, sql: &'static str) -> Result<()> {
    let mut conn = PgConnection::connect_with(options).await?;
    sqlx::query(sql).execute(&mut conn).await?;
    Ok(conn.close().await?)
}

fn superuser(server: &Server) -> PgConnectOptions {
    server.options("postgres", "postgres")
}

fn is_alive(pid: i32) -> bool {
    Command::new("kill").args(["-0", &pid.to_string()]).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        // What its parent has not buried yet does nothing any more.
        && fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| !stat.contains(") Z "))
}

fn signal(name: &str, pid: i32) -> Result<()> {
    let status = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status()?;
    if status.success() { Ok(()) } else { bail!("process {pid} is not there") }
}

fn is_root() -> Result<bool> {
    Ok(fs::metadata("/proc/self").or_else(|_| fs::metadata(env::current_exe()?))?.uid() == 0)
}

fn has_setpriv() -> bool {
    Command::new("setpriv").args(["--pdeathsig", "INT", "--", "true"]).status().is_ok_and(|status| status.success())
}

const DATA_DIR: &str = "PATCHBAY_TEST_DATA_DIR";

/// Another process with a Patchbay's Postgres: this binary again, with nothing but [`another_program`] to run.
struct Program {
    child: Child,
    postgres: i32,
}

impl Program {
    fn start(data_dir: &Path, prepare: impl FnOnce(&mut Command)) -> Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.args(["--exact", "another_program", "--nocapture"]).env(DATA_DIR, data_dir).stdin(Stdio::piped()).stdout(Stdio::piped());
        prepare(&mut command);
        let mut child = command.spawn()?;
        let lines = BufReader::new(child.stdout.take().context("it has an output")?).lines();
        for line in lines {
            if let Some((_, pid)) = line?.split_once("postgres runs as ") {
                return Ok(Self { child, postgres: pid.parse()? });
            }
        }
        bail!("the other program ended: {}", child.wait()?)
    }

    fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

/// Without a PATH there is no setpriv, and nobody tells Postgres that it was left alone.
fn without_setpriv(command: &mut Command) {
    command.env("PATH", "/nonexistent");
}

#[tokio::test]
async fn another_program() -> Result<()> {
    let Some(data_dir) = env::var_os(DATA_DIR).map(PathBuf::from) else { return Ok(()) };
    let server = start(&data_dir).await?;
    writeln!(std::io::stdout(), "postgres runs as {}", server.pid())?;
    std::io::stdin().lines().for_each(drop);
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() -> Result<()> {
    let dir = scratch()?;
    let data = dir.path().join("data");
    let server = start(&data).await?;
    run(&superuser(&server), "create table kept as select 'here'::text as word").await?;
    assert!(ask(&superuser(&server), "show server_version").await?.starts_with(server.version()));
    assert_eq!(ask(&superuser(&server), "show data_checksums").await?, "on");
    assert_eq!(ask(&superuser(&server), "show listen_addresses").await?, "");
    server.stop().await;

    let server = start(&data).await?;
    assert_eq!(ask(&superuser(&server), "select word from kept").await?, "here");
    server.stop().await;
    assert!(!data.join("pgdata/postmaster.pid").exists());
    assert_eq!(fs::metadata(data.join("pgdata"))?.mode() & 0o777, 0o700);
    Ok(())
}

#[tokio::test]
async fn commits_are_durable_unless_told_otherwise() -> Result<()> {
    let dir = scratch()?;
    let server = Server::start(dir.path(), &installation(dir.path())?, &Options::default()).await?;
    for setting in ["show fsync", "show synchronous_commit", "show full_page_writes"] {
        assert_eq!(ask(&superuser(&server), setting).await?, "on", "{setting}");
    }
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_second_program_is_told_who_has_the_directory() -> Result<()> {
    let dir = scratch()?;
    let other = Program::start(dir.path(), |_| ())?;
    let error = refusal(dir.path(), &quick()).await?;
    assert!(matches!(error, Error::InUse { .. }));
    let text = error.to_string();
    assert!(text.contains(&format!("process {}", other.child.id())) && text.contains("choose another data directory"), "{text}");
    other.kill()
}

#[tokio::test]
async fn commands_find_the_database_of_a_running_program() -> Result<()> {
    let dir = scratch()?;
    assert_eq!(embedded::attach(dir.path()).await?, None);
    let server = start(dir.path()).await?;
    let found = embedded::attach(dir.path()).await?.context("it runs")?;
    assert_eq!(&found, server.address());
    assert_eq!(ask(&found.options("postgres", "postgres"), "select current_user::text").await?, "postgres");
    let left = fs::read(dir.path().join("pgdata/postmaster.pid"))?;
    server.stop().await;
    fs::write(dir.path().join("pgdata/postmaster.pid"), left)?;
    assert_eq!(embedded::attach(dir.path()).await?, None, "files of a dead one mean nothing");
    Ok(())
}

#[tokio::test]
async fn after_kill_9_the_next_start_works_at_once() -> Result<()> {
    let dir = scratch()?;
    let program = Program::start(dir.path(), |_| ())?;
    let left = program.postgres;
    run(&embedded::attach(dir.path()).await?.context("it runs")?.options("postgres", "postgres"), "create table kept as select 'here'::text as word").await?;
    program.kill()?;
    let server = start(dir.path()).await?;
    assert!(!is_alive(left));
    assert_eq!(ask(&superuser(&server), "select word from kept").await?, "here");
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn after_kill_9_postgres_ends_by_itself_where_the_kernel_tells_it() -> Result<()> {
    if !has_setpriv() {
        return Ok(());
    }
    let dir = scratch()?;
    let program = Program::start(dir.path(), |_| ())?;
    let left = program.postgres;
    program.kill()?;
    until("the orphan is gone", async || Ok(!is_alive(left))).await
}

#[tokio::test]
async fn an_orphan_that_nobody_told_is_stopped_by_the_next_start() -> Result<()> {
    let dir = scratch()?;
    let program = Program::start(dir.path(), without_setpriv)?;
    let left = program.postgres;
    program.kill()?;
    assert!(is_alive(left));
    let server = start(dir.path()).await?;
    assert!(!is_alive(left));
    assert_ne!(server.pid(), left);
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn orphans_that_lost_their_postmaster_too_are_stopped() -> Result<()> {
    let dir = scratch()?;
    let program = Program::start(dir.path(), without_setpriv)?;
    let options = embedded::attach(dir.path()).await?.context("it runs")?.options("postgres", "postgres");
    let mut conn = PgConnection::connect_with(&options).await?;
    let backend: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut conn).await?;
    // It computes, so it does not notice that its postmaster is gone.
    let busy = tokio::spawn(async move { sqlx::query("select count(*) from generate_series(1, 1000000000000)").execute(&mut conn).await });
    let mut watcher = PgConnection::connect_with(&options).await?;
    loop {
        let state: Option<String> = sqlx::query_scalar("select state from pg_stat_activity where pid = $1").bind(backend).fetch_one(&mut watcher).await?;
        if state.as_deref() == Some("active") {
            break;
        }
    }
    let postmaster = program.postgres;
    program.kill()?;
    signal("KILL", postmaster)?;
    until("the postmaster is gone", async || Ok(!is_alive(postmaster))).await?;
    assert!(is_alive(backend));
    let server = start(dir.path()).await?;
    assert!(!is_alive(backend));
    assert!(busy.await?.is_err());
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_process_id_that_was_given_to_another_is_not_believed_and_not_harmed() -> Result<()> {
    let dir = scratch()?;
    let pgdata = dir.path().join("pgdata");
    let server = start(dir.path()).await?;
    let left = fs::read_to_string(pgdata.join("postmaster.pid"))?;
    server.stop().await;
    let owner = fs::metadata(&pgdata)?;
    let mut stranger = Command::new("sleep");
    stranger.arg("600");
    if is_root()? {
        stranger.uid(owner.uid()).gid(owner.gid());
    }
    let mut stranger = stranger.spawn()?;
    let rest = left.split_once('\n').context("it has lines")?.1;
    for name in ["postmaster.pid", ".s.PGSQL.5432.lock"] {
        fs::write(pgdata.join(name), format!("{}\n{rest}", stranger.id()))?;
        fs::set_permissions(pgdata.join(name), fs::Permissions::from_mode(0o600))?;
        std::os::unix::fs::chown(pgdata.join(name), Some(owner.uid()), Some(owner.gid()))?;
    }
    let server = start(dir.path()).await?;
    assert_eq!(stranger.try_wait()?, None, "the stranger lives");
    stranger.kill()?;
    stranger.wait()?;
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_gets_a_short_one_elsewhere() -> Result<()> {
    let dir = scratch()?;
    let data = dir.path().join("a-long-name".repeat(12));
    let server = start(&data).await?;
    let socket_dir = server.address().socket_dir().to_owned();
    assert!(!socket_dir.starts_with(&data));
    assert_eq!(fs::metadata(&socket_dir)?.mode() & 0o777, 0o700);
    assert_eq!(embedded::attach(&data).await?.as_ref(), Some(server.address()));
    assert_eq!(ask(&superuser(&server), "select 'hello'").await?, "hello");
    server.stop().await;
    assert!(!socket_dir.exists());
    Ok(())
}

#[tokio::test]
async fn a_path_with_odd_characters_works() -> Result<()> {
    let dir = scratch()?;
    let data = dir.path().join("it's, \"the\" dätä");
    let server = start(&data).await?;
    assert_eq!(ask(&superuser(&server), "select 'hello'").await?, "hello");
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn root_gives_postgres_to_another_account() -> Result<()> {
    if !is_root()? {
        return Ok(());
    }
    let dir = scratch()?;
    let data = dir.path().join("data");
    let server = start(&data).await?;
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid()))?;
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap_or_default().to_owned();
    assert!(!line("Uid:").split_whitespace().any(|uid| uid == "0"), "{status}");
    assert!(!line("Gid:").split_whitespace().any(|gid| gid == "0"), "{status}");
    assert_eq!(line("Groups:"), "");
    server.stop().await;
    assert_eq!(fs::metadata(&data)?.uid(), 0, "only the cluster is given away");

    // A cluster that somebody copied as root is given away again.
    let copied = Command::new("chown").args(["-R", "0:0"]).arg(data.join("pgdata")).status()?;
    assert!(copied.success());
    start(&data).await?.stop().await;

    let closed = dir.path().join("closed");
    fs::create_dir(&closed)?;
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700))?;
    let text = refusal(&closed.join("data"), &quick()).await?.to_string();
    assert!(text.contains("closed is closed to it") && text.contains("/var/lib"), "{text}");
    assert_eq!(embedded::default_data_dir(&closed.join("data")), Path::new("/var/lib/patchbay"));
    assert_eq!(embedded::default_data_dir(&data), data);
    Ok(())
}

#[tokio::test]
async fn a_stop_does_not_wait_for_clients() -> Result<()> {
    let dir = scratch()?;
    let server = start(dir.path()).await?;
    let mut conn = PgConnection::connect_with(&superuser(&server)).await?;
    let _open = conn.begin().await?;
    server.stop().await;
    let log = fs::read_to_string(dir.path().join("postgres.log"))?;
    assert!(log.contains("received fast shutdown request") && log.contains("database system is shut down"), "{log}");
    assert!(!log.contains("immediate shutdown"), "{log}");
    Ok(())
}

#[tokio::test]
async fn a_dropped_server_stops_and_frees_its_directory() -> Result<()> {
    let dir = scratch()?;
    let server = start(dir.path()).await?;
    let pid = server.pid();
    drop(server);
    assert!(!is_alive(pid));
    start(dir.path()).await?.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_start_that_is_given_up_leaves_nothing_behind() -> Result<()> {
    let dir = scratch()?;
    for patience_ms in [1, 50, 200] {
        let _ = tokio::time::timeout(Duration::from_millis(patience_ms), start(dir.path())).await;
    }
    start(dir.path()).await?.stop().await;
    let unfinished = fs::read_dir(dir.path())?.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with("pgdata.new")).count();
    assert_eq!(unfinished, 0);
    Ok(())
}

#[tokio::test]
async fn the_end_of_the_database_is_noticed() -> Result<()> {
    let dir = scratch()?;
    let server = start(dir.path()).await?;
    signal("QUIT", server.pid())?;
    tokio::time::timeout(Duration::from_secs(30), server.ended()).await?;
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_postgres_says_is_in_the_error() -> Result<()> {
    let dir = scratch()?;
    let text = refusal(dir.path(), &with([("fsync", "off"), ("shared_buffers", "a lot")])).await?.to_string();
    assert!(text.contains("shared_buffers") && text.contains("postgres.log"), "{text}");
    Ok(())
}

#[tokio::test]
async fn another_major_version_is_named_with_the_ways_out() -> Result<()> {
    let dir = scratch()?;
    let installation = installation(dir.path())?;
    Server::start(dir.path(), &installation, &quick()).await?.stop().await;
    fs::write(dir.path().join("pgdata/PG_VERSION"), "9.6\n")?;

    let text = Server::start(dir.path(), &installation, &quick()).await.err().context("it must not start")?.to_string();
    assert!(text.contains("made by Postgres 9") && text.contains("PATCHBAY_POSTGRES__BIN") && text.contains("pg_dump"), "{text}");

    let discovery = Discovery { data_dir: dir.path().to_owned(), ..Discovery::default() };
    let text = embedded::discover(&discovery).err().context("there is no such version")?.to_string();
    assert!(text.contains("no Postgres 9 was found") && text.contains(&format!("it is {}", installation.version)), "{text}");

    let named = Discovery { bin: Some(installation.bin_dir), ..discovery };
    assert!(matches!(embedded::discover(&named), Err(Error::OtherMajor { made_by: 9, .. })));
    Ok(())
}

#[tokio::test]
async fn a_folder_that_is_no_database_is_left_alone() -> Result<()> {
    let dir = scratch()?;
    fs::create_dir(dir.path().join("pgdata"))?;
    fs::write(dir.path().join("pgdata/diary.txt"), "dear diary")?;
    assert!(matches!(refusal(dir.path(), &quick()).await?, Error::NotADatabase { .. }));
    assert_eq!(fs::read_to_string(dir.path().join("pgdata/diary.txt"))?, "dear diary");
    Ok(())
}

#[test]
fn a_named_folder_without_postgres_is_named_in_the_error() -> Result<()> {
    let dir = scratch()?;
    let discovery = Discovery { data_dir: dir.path().to_owned(), bin: Some(dir.path().to_owned()), ..Discovery::default() };
    let text = embedded::discover(&discovery).err().context("there is nothing")?.to_string();
    assert!(text.starts_with("PATCHBAY_POSTGRES__BIN names ") && text.ends_with("it has no `postgres`"), "{text}");
    Ok(())
}

#[test]
fn the_choice_says_why() -> Result<()> {
    let dir = scratch()?;
    let found = installation(dir.path())?;
    assert!(found.major >= embedded::OLDEST_MAJOR && found.version.starts_with(&found.major.to_string()));
    assert!(!found.why.is_empty());
    assert!(found.bin_dir.join("initdb").exists());
    Ok(())
}
