//! Members of the organisation.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use patchbay_core::{
    audit,
    ids::MemberId,
    patch::{Fault, process::Role},
    tenancy::store::{self, Member, NewMember},
};
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Api, Page, op, session::is_address};
use crate::{
    app::App,
    extract::{Admin, Json, Path, Reader, check_if_match},
    problem::Problem,
};

pub(super) fn routes(api: Api) -> Api {
    api.get("/members", list, op("members", "List members").answer::<Page<MemberView>>(200))
        .post("/members", add, op("members", "Add a member").body::<AddMember>().answer::<AddedMember>(201).problem(409))
        .get("/members/{id}", get, op("members", "Read a member").answer::<MemberView>(200))
        .patch("/members/{id}", update, op("members", "Change a member's role").body::<UpdateMember>().answer::<MemberView>(200).problem(409))
        .delete("/members/{id}", remove, op("members", "Take a member out: signed out, keys revoked").plain(204, "").problem(409))
        .post("/members/{id}/link", link, op("members", "Make a link that signs a member in once").answer::<SignInLink>(201))
}

#[derive(Serialize, JsonSchema)]
struct MemberView {
    id: MemberId,
    /// What people write after an @.
    handle: String,
    name: String,
    email: Option<String>,
    role: Role,
    time_zone: String,
    created_at: DateTime<Utc>,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        Self {
            id: member.id,
            handle: member.handle,
            name: member.name,
            email: member.email,
            role: member.role,
            time_zone: member.time_zone,
            created_at: member.created_at,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddMember {
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// With an address the member can sign in; a program needs none.
    #[schemars(email, length(max = 320))]
    email: Option<String>,
    role: Role,
    /// IANA name; UTC where nothing is said.
    #[schemars(length(max = 60))]
    time_zone: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct AddedMember {
    #[serde(flatten)]
    member: MemberView,
    /// Signs them in once, within 15 minutes; null without an address.
    sign_in_link: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateMember {
    role: Role,
}

#[derive(Serialize, JsonSchema)]
struct SignInLink {
    /// Works once, within 15 minutes.
    url: String,
}

async fn list(State(app): State<App>, reader: Reader) -> Result<Json<Page<MemberView>>, Problem> {
    let mut tx = app.db.begin(reader.organization).await?;
    let members = store::list_members(&mut tx).await?;
    tx.rollback().await?;
    Ok(Json(Page::whole(members.into_iter().map(MemberView::from).collect())))
}

async fn get(State(app): State<App>, reader: Reader, Path(id): Path<MemberId>) -> Result<Json<MemberView>, Problem> {
    let mut tx = app.db.begin(reader.organization).await?;
    let member = find(&mut tx, id).await?;
    tx.rollback().await?;
    Ok(Json(member.into()))
}

async fn add(State(app): State<App>, admin: Admin, Json(input): Json<AddMember>) -> Result<Response, Problem> {
    let name = input.name.trim();
    let zone = input.time_zone.as_deref().unwrap_or("UTC");
    let mut faults = Vec::new();
    if name.is_empty() || input.name.chars().count() > 100 {
        faults.push(Fault::new("/name", "a name has 1–100 characters"));
    }
    if let Some(email) = input.email.as_deref().filter(|email| !is_address(email.trim())) {
        faults.push(Fault::new("/email", "this is no e-mail address").found(email).expected("name@example.com"));
    }
    if zone.parse::<chrono_tz::Tz>().is_err() {
        faults.push(Fault::new("/time_zone", "there is no such time zone").found(zone).expected("an IANA name such as Europe/Berlin"));
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    if input.role == Role::Owner && admin.role != Role::Owner {
        return Err(Problem::forbidden("Only an owner makes owners."));
    }
    let mut tx = app.db.begin(admin.organization).await?;
    let new = NewMember { name, handle: None, email: input.email.as_deref(), role: input.role, time_zone: zone };
    let added = store::add_member(&mut tx, app.ctx.as_ref(), admin.organization, &new).await?;
    let id = added.ok_or_else(|| Problem::conflict("address-taken", format!("{} has an account already.", input.email.as_deref().unwrap_or_default())))?;
    let member = store::find_member(&mut tx, id).await?.ok_or(sqlx::Error::RowNotFound)?;
    let sign_in_link = match member.email {
        None => None,
        Some(_) => Some(make_link(&app, &mut tx, &admin, id).await?),
    };
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "member.added", &member.handle, &json!({ "role": member.role })).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(AddedMember { member: member.into(), sign_in_link })).into_response())
}

async fn make_link(app: &App, conn: &mut sqlx::PgConnection, admin: &Admin, member: MemberId) -> Result<String, Problem> {
    let secret = store::create_link(conn, app.ctx.as_ref(), admin.organization, member).await?;
    Ok(format!("{}/welcome?t={}", app.public_url, secret.text.expose_secret()))
}

async fn link(State(app): State<App>, admin: Admin, Path(id): Path<MemberId>) -> Result<Response, Problem> {
    let mut tx = app.db.begin(admin.organization).await?;
    let member = find(&mut tx, id).await?;
    if member.role == Role::Owner && admin.role != Role::Owner {
        return Err(Problem::forbidden("Only an owner makes a link for an owner."));
    }
    let url = make_link(&app, &mut tx, &admin, id).await?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "member.link_made", &member.handle, &json!({})).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(SignInLink { url })).into_response())
}

async fn find(conn: &mut sqlx::PgConnection, id: MemberId) -> Result<Member, Problem> {
    store::find_member(conn, id).await?.ok_or_else(|| Problem::not_found("There is no such member."))
}

async fn update(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<MemberId>,
    headers: HeaderMap,
    Json(input): Json<UpdateMember>,
) -> Result<Json<MemberView>, Problem> {
    let mut tx = app.db.begin(admin.organization).await?;
    let member = find(&mut tx, id).await?;
    check_if_match(&headers, &MemberView::from(member.clone()))?;
    keep_an_owner(&mut tx, &admin, &member, Some(input.role)).await?;
    store::set_role(&mut tx, id, input.role).await?;
    let details = json!({ "from": member.role, "to": input.role });
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "member.role_changed", &member.handle, &details).await?;
    tx.commit().await?;
    app.doors.forget();
    Ok(Json(MemberView { role: input.role, ..member.into() }))
}

async fn remove(State(app): State<App>, admin: Admin, Path(id): Path<MemberId>) -> Result<StatusCode, Problem> {
    let mut tx = app.db.begin(admin.organization).await?;
    let member = find(&mut tx, id).await?;
    keep_an_owner(&mut tx, &admin, &member, None).await?;
    store::remove_member(&mut tx, id, app.ctx.now()).await?;
    audit::store::append(&mut tx, app.ctx.as_ref(), &admin, "member.removed", &member.handle, &json!({})).await?;
    tx.commit().await?;
    app.doors.forget();
    Ok(StatusCode::NO_CONTENT)
}

/// Owners are made and unmade by owners, and the last one stays.
async fn keep_an_owner(conn: &mut sqlx::PgConnection, admin: &Admin, member: &Member, role: Option<Role>) -> Result<(), Problem> {
    if (member.role == Role::Owner || role == Some(Role::Owner)) && admin.role != Role::Owner {
        return Err(Problem::forbidden("Only an owner changes who owns."));
    }
    if member.role == Role::Owner && role != Some(Role::Owner) && store::count_owners(conn).await? == 1 {
        return Err(Problem::conflict("last-owner", format!("{} is the only owner. Make somebody else an owner first.", member.handle)));
    }
    Ok(())
}
