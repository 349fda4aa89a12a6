//! The command line.

mod channels;
mod chat;
mod data;
mod doctor;
mod files;
mod key;
mod look;
mod mcp;
mod mirror;
mod replay;
mod say;
mod serve;
mod verify;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};
use patchbay_core::{audit::Receipt, tenancy::Scope};

use crate::settings::{self, Flags, Role, Settings};

/// Pull requests for your plans, from any channel.
#[derive(Parser)]
#[command(name = "patchbay", version, about, propagate_version = true)]
#[command(
    after_help = "Every command of the chat works here too: `patchbay list --project WEB`, `patchbay add \"Write the guide\" in WEB`, `patchbay accept #12`.
It acts as the owner, or as whom PATCHBAY_KEY is of. A sentence for the planner is quoted as a whole: `patchbay \"Build a sign-in flow\"`."
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    /// The project that a command of the chat is about.
    #[arg(long, value_name = "KEY")]
    project: Option<String>,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args)]
struct Common {
    /// Where Patchbay keeps its own Postgres and keys.
    #[arg(long, global = true, value_name = "DIR", env = "PATCHBAY_DATA__DIR", hide_env = true)]
    data_dir: Option<PathBuf>,
    /// Read settings from this file instead of patchbay.toml.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service.
    Serve {
        /// Address and port to listen on.
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
        /// What this process does.
        #[arg(long, value_delimiter = ',', value_name = "web,worker,channels")]
        roles: Option<Vec<String>>,
    },
    /// Bring the database's schema up to date.
    Migrate,
    /// Prove that history and present agree: of one project, of all, or of the audit trail.
    Verify {
        /// A project's key or id.
        project: Option<String>,
        /// The audit trail: that no entry was changed, taken out or put in.
        #[arg(long, conflicts_with = "project")]
        audit: bool,
        /// With --audit, that the trail still has the head that a receipt names. More than once for more receipts.
        #[arg(long, requires = "audit", value_name = "RECEIPT")]
        receipt: Vec<Receipt>,
    },
    /// Print a project's plan as it was at a version.
    Replay {
        /// A project's key or id.
        project: String,
        /// The version, from 1.
        #[arg(long, value_name = "VERSION")]
        to: i32,
    },
    /// Show what was chosen and why: settings, database, planner.
    Doctor,
    /// Print a link that signs the owner in once.
    SignIn,
    /// Make a project of a file: task records, check-box lists, a YAML backlog.
    Import {
        /// The file; its format is told by its ending: YAML, else Markdown.
        file: PathBuf,
        /// The project to add to, or the key of the new one.
        #[arg(long, value_name = "KEY")]
        project: Option<String>,
    },
    /// Write a project to standard output.
    Export {
        /// A project's key or id.
        project: String,
        #[arg(long, value_enum, default_value_t = Format::Md)]
        format: Format,
    },
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    Key(Key),
    /// Set up what other platforms need to know.
    #[command(subcommand)]
    Channels(Channels),
    /// Plan in the terminal.
    Chat {
        /// The project to talk about; without one, a new project.
        #[arg(long, value_name = "KEY")]
        project: Option<String>,
    },
    /// Work together by other means than the API.
    #[command(subcommand)]
    Collab(Collab),
    /// The tools for an agent that speaks the Model Context Protocol over standard input and output.
    Mcp {
        /// The API key that it acts with; as the owner where there is none.
        #[arg(long, value_name = "KEY", env = "PATCHBAY_KEY", hide_env_values = true)]
        key: Option<String>,
    },
    /// Print completions for a shell.
    Completions { shell: clap_complete::Shell },
    /// What is none of these is said as in the chat.
    #[command(external_subcommand)]
    Say(Vec<String>),
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Md,
    Json,
    Csv,
    Ics,
}

#[derive(Subcommand)]
enum Collab {
    /// Keep a project as files: state, events, a log. An edit of state/tasks.json becomes a proposal.
    Mirror {
        /// The folder.
        dir: PathBuf,
        /// The project's key.
        #[arg(long, value_name = "KEY")]
        project: String,
        /// Where the service is; where this machine's settings say, if nothing is said.
        #[arg(long, value_name = "URL", env = "PATCHBAY_URL")]
        url: Option<String>,
        /// The API key that it acts with; the owner's in the data directory, if nothing is said.
        #[arg(long, value_name = "KEY", env = "PATCHBAY_KEY", hide_env_values = true)]
        key: Option<String>,
    },
}

#[derive(Subcommand)]
enum Channels {
    /// Discord.
    #[command(subcommand)]
    Discord(Discord),
}

#[derive(Subcommand)]
enum Discord {
    /// Tell Discord our commands: /patchbay and "Plan this".
    Register,
}

#[derive(Subcommand)]
enum Key {
    /// Make a key and print it, this once.
    Create {
        /// What it may do.
        #[arg(long, value_delimiter = ',', required = true, value_name = "read,propose,review,apply,admin", value_parser = key::scope)]
        scopes: Vec<Scope>,
        /// The only project it may see.
        #[arg(long, value_name = "KEY")]
        project: Option<String>,
        /// The agent that it is for, by name: made where there is none. Yours where nothing is said.
        #[arg(long, value_name = "NAME")]
        agent: Option<String>,
        /// What it is for.
        #[arg(long, default_value = "command line")]
        name: String,
        /// Days until it runs out.
        #[arg(long, value_name = "DAYS")]
        expires: Option<u32>,
    },
    /// List keys.
    List,
    /// Take a key back.
    Revoke { id: String },
}

/// Runs the program. Exit codes: 0 done, 1 failed, 2 wrong usage.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::Completions { shell } = cli.command {
        // Into memory first: what writes to a pipe that its reader has closed would panic.
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut <Cli as clap::CommandFactory>::command(), "patchbay", &mut script);
        look::part(&String::from_utf8_lossy(&script));
        return ExitCode::SUCCESS;
    }
    let mut said = match &cli.command {
        Command::Say(words) => match say::read(words) {
            Ok(said) => Some(say::Said { project: said.project.or(cli.project), ..said }),
            Err(why) => {
                look::error(&why);
                return ExitCode::from(2);
            }
        },
        _ if cli.project.is_some() => {
            look::error("`--project` stands behind a command that takes it: `patchbay --help` lists them");
            return ExitCode::from(2);
        }
        _ => None,
    };
    // What stands behind a command of the chat goes before what stands before it.
    let (data_dir, config) = said.as_mut().map_or((None, None), |said| (said.data_dir.take(), said.config.take()));
    let mut flags = Flags { config: config.or(cli.common.config), data_dir: data_dir.or(cli.common.data_dir), ..Flags::default() };
    match &cli.command {
        Command::Serve { listen, roles } => {
            flags.listen = *listen;
            flags.roles.clone_from(roles);
        }
        // It shows what a service would do.
        Command::Doctor => {}
        // Beside a service, which does the work: this process need not have the settings that takes.
        _ => flags.roles = Some(vec![Role::Web.as_str().to_owned()]),
    }
    let (settings, figment) = match settings::load(&flags) {
        Ok(loaded) => loaded,
        Err(error) => {
            look::error(&format!("a setting is wrong: {error}"));
            return ExitCode::from(2);
        }
    };
    // TLS to models: ring everywhere. A second call in one process changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            look::error(&format!("the runtime cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(run(cli.command, said, &settings, &figment));
    // What still reads from the terminal must not keep the program.
    runtime.shutdown_background();
    match result {
        Ok(code) => code,
        Err(error) => {
            look::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command, said: Option<say::Said>, settings: &Settings, figment: &figment::Figment) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve { .. } => serve::serve(settings).await?,
        Command::Migrate => data::migrate(settings).await?,
        Command::Verify { audit: true, receipt, .. } => return verify::audit(settings, &receipt).await,
        Command::Verify { project, .. } => return verify::verify(settings, project.as_deref()).await,
        Command::Replay { project, to } => replay::replay(settings, &project, to).await?,
        Command::Doctor => return doctor::doctor(settings, figment).await,
        Command::SignIn => data::sign_in(settings).await?,
        Command::Import { file, project } => return files::import(settings, &file, project.as_deref()).await,
        Command::Export { project, format } => files::export(settings, &project, format).await?,
        Command::Key(key) => key::run(settings, key).await?,
        Command::Channels(Channels::Discord(Discord::Register)) => channels::register(settings).await?,
        Command::Chat { project } => chat::chat(settings, project.as_deref()).await?,
        Command::Collab(Collab::Mirror { dir, project, url, key }) => mirror::mirror(settings, &dir, &project, url, key.map(Into::into)).await?,
        Command::Mcp { key } => mcp::mcp(settings, key.map(Into::into)).await?,
        Command::Say(_) => {
            let key = std::env::var("PATCHBAY_KEY").ok().filter(|key| !key.is_empty());
            return match said {
                Some(said) => say::say(settings, &said, key.map(Into::into)).await,
                None => Ok(ExitCode::from(2)),
            };
        }
        Command::Completions { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}
