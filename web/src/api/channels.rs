//! Channels: which ones speak, who their people are, and how much they may say.

mod discord;
mod malformed;
mod slack;

use axum::{extract::State, http::HeaderMap, response::Response};
use chrono::{DateTime, TimeDelta, Utc};
use patchbay_channels::line::{Line, Standing};
use patchbay_core::{
    audit,
    channel::{Channel, ChannelChange, ChannelSettings, Entrance, Identity, Used, link, store},
    patch::Fault,
    tenancy::{Actor, Scope},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Api, Page, op, public};
use crate::{
    app::App,
    extract::{Admin, Json, Path, Reader, check_if_match},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    malformed::routes(discord::routes(slack::routes(api)))
        .get(
            "/channels",
            list,
            op("channels", "The channels, whether each is connected, its limits, and how much of them the last minute used").answer::<Page<ListedChannel>>(200),
        )
        .get("/channels/{channel}", read, op("channels", "One channel").answer::<ChannelView>(200).problem(404))
        .patch(
            "/channels/{channel}",
            change,
            op("channels", "Set whom a channel lets in unasked, and how much it takes; what is left out stays as it is")
                .body::<ChannelChange>()
                .answer::<ChannelView>(200)
                .problem(404),
        )
        .get("/identities", identities, op("channels", "Which member somebody on a channel is").answer::<Page<Identity>>(200))
        .delete("/identities/{channel}/{id}", unlink, op("channels", "Part a member from who they are on a channel").plain(204, "").problem(404))
        .post("/identities/codes", code, op("channels", "A code to say on a channel within ten minutes: `link CODE`").answer::<Code>(200))
        .post("/identities", say, op("channels", "Say a code that a channel showed: whoever got it there is you").body::<Code>().answer::<Linked>(200))
}

/// A channel of an organisation. `web` is the console with the terminal, `api` whoever comes with a key.
#[derive(Serialize, JsonSchema)]
struct ChannelView {
    channel: Entrance,
    title: &'static str,
    /// Whether this Patchbay has what it needs to speak there.
    is_connected: bool,
    /// The connection that is held open to hear from it; `null` where the platform posts to us, or nothing is heard.
    connection: Option<ConnectionView>,
    settings: ChannelSettings,
}

/// A channel in a list.
#[derive(Serialize, JsonSchema)]
struct ListedChannel {
    #[serde(flatten)]
    channel: ChannelView,
    /// Of `web` and `api`, what was turned away is known as far as the process that answers has done it.
    used: Used,
}

/// A connection that a process with the role `channels` holds open.
#[derive(Serialize, JsonSchema)]
struct ConnectionView {
    state: ConnectionState,
    since: Option<DateTime<Utc>>,
    /// Why it is closed; it is opened again by itself.
    problem: Option<String>,
}

/// How a connection stands; unknown where this process does not hold it, or has not opened it yet.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum ConnectionState {
    Open,
    Closed,
    Unknown,
}

impl From<&Line> for ConnectionView {
    fn from(line: &Line) -> Self {
        match line.standing() {
            None => Self { state: ConnectionState::Unknown, since: None, problem: None },
            Some(Standing { is_open: true, since, .. }) => Self { state: ConnectionState::Open, since: Some(since), problem: None },
            Some(Standing { since, problem, .. }) => Self { state: ConnectionState::Closed, since: Some(since), problem },
        }
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Code {
    /// `K7PM-2QXW`
    #[schemars(length(min = 8, max = 20))]
    code: String,
}

/// Who somebody on a channel is from now on.
#[derive(Serialize, JsonSchema)]
struct Linked {
    channel: Channel,
    name: String,
}

fn find(name: &str) -> Result<Channel, Problem> {
    Channel::parse(name).ok_or_else(|| {
        let names = Channel::ALL.map(Channel::as_str).join(", ");
        Problem::not_found(format!("There is no channel {name}. There are {names}."))
    })
}

fn find_entrance(name: &str) -> Result<Entrance, Problem> {
    Entrance::parse(name).ok_or_else(|| {
        let names = Entrance::ALL.map(Entrance::as_str).join(", ");
        Problem::not_found(format!("There is no channel {name}. There are {names}."))
    })
}

async fn view(app: &App, conn: &mut sqlx::PgConnection, entrance: Entrance) -> Result<ChannelView, Problem> {
    let settings = store::settings(conn, entrance).await?;
    let platform = entrance.channel();
    let connection = platform.and_then(|channel| app.platforms.lines.get(&channel)).map(ConnectionView::from);
    let is_connected = platform.is_none_or(|channel| app.channels.contains(&channel));
    Ok(ChannelView { channel: entrance, title: entrance.title(), is_connected, connection, settings })
}

async fn list(State(app): State<App>, reader: Reader) -> Result<Json<Page<ListedChannel>>, Problem> {
    let mut tx = app.db.begin(reader.organization).await?;
    let used = store::used(&mut tx, app.ctx.now() - TimeDelta::minutes(1)).await?;
    let mut channels = Vec::with_capacity(Entrance::ALL.len());
    for entrance in Entrance::ALL {
        let mut used = used.get(&entrance).copied().unwrap_or_default();
        if entrance.channel().is_none() {
            used.turned_away = app.hub.limits.turned_away(reader.organization, entrance);
        }
        channels.push(ListedChannel { channel: view(&app, &mut tx, entrance).await?, used });
    }
    tx.rollback().await?;
    Ok(Json(Page::whole(channels)))
}

async fn read(State(app): State<App>, reader: Reader, Path(name): Path<String>) -> Result<Json<ChannelView>, Problem> {
    let entrance = find_entrance(&name)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let view = view(&app, &mut tx, entrance).await?;
    tx.rollback().await?;
    Ok(Json(view))
}

async fn change(
    State(app): State<App>,
    admin: Admin,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(change): Json<ChannelChange>,
) -> Result<Json<ChannelView>, Problem> {
    let entrance = find_entrance(&name)?;
    let within = [("/per_sender", change.per_sender, 10_000), ("/per_channel", change.per_channel, 100_000)];
    let mut faults: Vec<Fault> = within
        .into_iter()
        .filter_map(|(path, value, most)| Some((path, value?, most)))
        .filter(|(_, value, most)| !(1..=*most).contains(value))
        .map(|(path, value, most)| Fault::new(path, format!("a limit is 1–{most} messages a minute")).found(value.to_string()))
        .collect();
    if change.trust_email == Some(true) && entrance.channel().is_none() {
        faults.push(Fault::new("/trust_email", "who comes in here has signed in or has a key: no address is trusted").expected("false"));
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let mut tx = app.db.begin(admin.organization).await?;
    check_if_match(&headers, &view(&app, &mut tx, entrance).await?)?;
    let settings = store::change_settings(&mut tx, admin.organization, entrance, &change, app.ctx.now()).await?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "channel.set", entrance.as_str(), &json!(settings)).await?;
    let view = view(&app, &mut tx, entrance).await?;
    tx.commit().await?;
    app.hub.limits.forget(admin.organization, entrance);
    Ok(Json(view))
}

async fn identities(State(app): State<App>, reader: Reader) -> Result<Json<Page<Identity>>, Problem> {
    let mut tx = app.db.begin(reader.organization).await?;
    let mut identities = store::list_identities(&mut tx).await?;
    tx.rollback().await?;
    // Who somebody is elsewhere is theirs and the admins' to know.
    identities.retain(|identity| reader.may(Scope::Admin) || identity.member == reader.handle);
    Ok(Json(Page::whole(identities)))
}

async fn unlink(State(app): State<App>, reader: Reader, Path((name, id)): Path<(String, String)>) -> Result<Response, Problem> {
    let channel = find(&name)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let own = (!reader.may(Scope::Admin)).then_some(reader.member);
    if !store::unlink(&mut tx, channel, &id, own).await? {
        return Err(Problem::not_found(format!("There is nobody {id} on {} who is linked.", channel.title())));
    }
    audit::store::append(&mut tx, app.ctx.as_ref(), &reader, "identity.unlinked", &reader.handle, &json!({ "channel": channel, "id": id })).await?;
    tx.commit().await?;
    Ok(axum::response::IntoResponse::into_response(axum::http::StatusCode::NO_CONTENT))
}

/// A key is a program's: it has nobody to be elsewhere.
fn person(actor: &Actor) -> Result<(), Problem> {
    if actor.project.is_some() { Err(Problem::forbidden("A key for one project cannot say who you are elsewhere.")) } else { Ok(()) }
}

async fn code(State(app): State<App>, reader: Reader) -> Result<Json<Code>, Problem> {
    person(&reader)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let code = link::make(&mut tx, app.ctx.as_ref(), reader.organization, link::Maker::Member(reader.member)).await?;
    tx.commit().await?;
    Ok(Json(Code { code }))
}

async fn say(State(app): State<App>, reader: Reader, Json(input): Json<Code>) -> Result<Json<Linked>, Problem> {
    person(&reader)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let said = link::said_by_member(&mut tx, app.ctx.as_ref(), &reader, &input.code).await?;
    let Some((channel, sender)) = said else {
        return Err(Problem::fault("/code", "there is no such code any more: a code holds for ten minutes and once"));
    };
    tx.commit().await?;
    Ok(Json(Linked { channel, name: sender.name }))
}

/// A header of a request that proves itself by its signature.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn not_connected(channel: Channel, settings: &str) -> Problem {
    Problem::not_found(format!("{} is not connected: set {settings}.", channel.title()))
}

/// A signed body that means nothing is kept for the admins, and its sender is told what is wrong with it.
async fn unreadable(app: &App, channel: Channel, error: &(dyn std::error::Error + Send + Sync), body: &[u8]) -> Problem {
    app.hub.keep_malformed(channel, error, body).await;
    Problem::malformed(format!("{error}. It is kept for an admin of this Patchbay to look into."))
}
