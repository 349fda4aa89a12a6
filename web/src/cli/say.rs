//! `patchbay list`: one command of the grammar, said in a shell.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context as _, Result, bail};
use axum::http::{HeaderMap, HeaderValue, header};
use clap::CommandFactory as _;
use patchbay_channels::hub::grammar::{self, Parsed};
use patchbay_core::tenancy::Scope;
use secrecy::{ExposeSecret, SecretString};

use super::{Cli, chat::Chat};
use crate::{
    app::App,
    auth,
    extract::Identity,
    service::{self, Beside, Data, Service},
    settings::Settings,
};

/// What was written behind the program's name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) project: Option<String>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) config: Option<PathBuf>,
}

/// Who acts: whom the key is of; without one the owner, as is whoever can read the data directory.
pub(super) async fn identity(app: &App, key: Option<SecretString>) -> Result<Identity> {
    let Some(key) = key else { return Ok(Identity { actor: Arc::new(service::owner(&app.db).await?), session: None }) };
    let mut headers = HeaderMap::new();
    let bearer = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret())).context("PATCHBAY_KEY is no key")?;
    headers.insert(header::AUTHORIZATION, bearer);
    auth::identify(app, &headers).await.map_err(|problem| anyhow::anyhow!("PATCHBAY_KEY: {}", problem.detail))
}

/// Sends it as one message and prints what came of it: 0 where it was done, 1 where not.
pub(super) async fn say(settings: &Settings, said: &Said, key: Option<SecretString>) -> Result<ExitCode> {
    let data = Data::open(settings, Beside::Shared).await?;
    let ctx: Arc<dyn patchbay_core::ids::Context> = Arc::new(patchbay_core::ids::System::default());
    let url = settings.server.public_url.clone().unwrap_or_else(|| format!("http://{}", settings.server.listen));
    let service = Service::start(settings, ctx.clone(), data, url).await?;
    service::ensure_first(&service.app.db, ctx.as_ref(), &settings.data.dir).await?;
    let done = async {
        let actor = identity(&service.app, key).await?.actor;
        if !actor.may(Scope::Propose) {
            bail!("PATCHBAY_KEY does not have the scope `propose`, which it takes to say something");
        }
        Chat::new(&service.app, (*actor).clone(), said.project.as_deref()).say(&said.text).await
    }
    .await;
    service.end().await;
    Ok(if done? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the words of a shell say: one message, and the project that it is about. `Err`: how to say it right.
pub(super) fn read(words: &[String]) -> Result<Said, String> {
    let mut said = Said { text: String::new(), project: None, data_dir: None, config: None };
    let (mut parts, mut asks_help) = (Vec::new(), false);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (name, given) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value.to_owned())));
        let mut value = || given.clone().or_else(|| words.next().cloned()).ok_or_else(|| format!("{name} needs a value behind it"));
        match name {
            "--project" => said.project = Some(value()?),
            "--data-dir" => said.data_dir = Some(value()?.into()),
            "--config" => said.config = Some(value()?.into()),
            "--help" | "-h" => asks_help = true,
            "--" => parts.extend(words.by_ref().cloned()),
            _ if name.starts_with("--") => {
                return Err(format!("there is no option `{name}` here: `--project KEY`, `--data-dir DIR` and `--config FILE` are; behind `--` it is a word"));
            }
            // `- a till` is a line of a list.
            _ => parts.push(word.clone()),
        }
    }
    let word = parts.first().map_or("", String::as_str);
    if asks_help {
        return Ok(Said { text: format!("help {word}").trim_end().to_owned(), ..said });
    }
    said.text = joined(&parts);
    // Somebody who quotes a whole sentence means it as it is, also for the planner.
    if let [whole] = parts.as_slice()
        && whole.contains(char::is_whitespace)
    {
        said.text.clone_from(whole);
        return Ok(said);
    }
    if grammar::find(word).is_none() && !matches!(grammar::parse(&said.text, &[]), Parsed::Command(_) | Parsed::Several(_)) {
        return Err(unknown(word));
    }
    Ok(said)
}

/// One line of the words. The shell took the quotation marks away that the grammar wants around a title, so they are put back where
/// that makes a command of it.
fn joined(parts: &[String]) -> String {
    let quote = |part: &String| {
        if !part.contains(char::is_whitespace) || part.contains('"') { part.clone() } else { format!("\"{part}\"") }
    };
    let quoted = parts.iter().map(quote).collect::<Vec<_>>().join(" ");
    if matches!(grammar::parse(&quoted, &[]), Parsed::Command(_)) { quoted } else { parts.join(" ") }
}

/// A word that begins nothing, with what is nearest to it of the program's own commands and of the grammar's.
fn unknown(word: &str) -> String {
    let program: Vec<String> = Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let near = grammar::nearest(word, program.iter().map(String::as_str));
    let near = near.iter().map(|word| format!("`patchbay {word}`")).collect::<Vec<_>>();
    let meant = match near.split_last() {
        None => String::new(),
        Some((last, [])) => format!(" Is {last} meant?"),
        Some((last, others)) => format!(" Is {} or {last} meant?", others.join(", ")),
    };
    format!(
        "there is no command `{word}`.{meant} `patchbay --help` lists the program's, `patchbay chat` and `help` in it those of your plans; a sentence for the planner is quoted as a whole"
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn check(words: &[&str], text: &str, project: Option<&str>) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let said = read(&words).expect("it is said right");
        assert_eq!((said.text.as_str(), said.project.as_deref()), (text, project), "{words:?}");
    }

    fn refused(words: &[&str]) -> String {
        read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).expect_err("it is refused")
    }

    #[test]
    fn the_words_of_a_shell_are_one_command() {
        check(&["list"], "list", None);
        check(&["list", "mine", "--project", "WEB"], "list mine", Some("WEB"));
        check(&["--project=WEB", "list"], "list", Some("WEB"));
        check(&["add", "Fix the login", "to", "@ana", "p1"], "add \"Fix the login\" to @ana p1", None);
        check(&["add", "\"Fix the login\"", "in", "WEB"], "add \"Fix the login\" in WEB", None);
        check(&["add \"Fix the login\" in WEB"], "add \"Fix the login\" in WEB", None);
        check(&["done", "WEB-7"], "done WEB-7", None);
        check(&["accept", "#12", "1,3"], "accept #12 1,3", None);
        check(&["Build a sign-in flow"], "Build a sign-in flow", None);
        check(&["add", "--", "--fix"], "add --fix", None);
        check(&["plan", "WEB", "- a till\n- a door"], "plan WEB \"- a till\n- a door\"", None);
        check(&["list", "--help"], "help list", None);
    }

    #[test]
    fn options_stand_anywhere() {
        for words in [["list", "mine", "--data-dir", "there"], ["--data-dir", "there", "list", "mine"], ["list", "--data-dir", "there", "mine"]] {
            let said = read(&words.map(str::to_owned)).expect("it is said right");
            assert_eq!((said.text.as_str(), said.data_dir.as_deref()), ("list mine", Some(Path::new("there"))), "{words:?}");
        }
    }

    #[test]
    fn a_word_that_begins_nothing_gets_the_nearest_of_both_lists() {
        assert!(refused(&["lst"]).contains("there is no command `lst`. Is `patchbay list` meant?"), "{}", refused(&["lst"]));
        let both = refused(&["exprt"]);
        assert!(both.contains("`patchbay export`"), "{both}");
        assert!(!refused(&["gibberish", "WEB"]).contains("meant?"));
        assert!(refused(&["list", "--prject", "WEB"]).contains("there is no option `--prject` here"));
        assert!(refused(&["list", "--project"]).contains("--project needs a value behind it"));
    }
}
