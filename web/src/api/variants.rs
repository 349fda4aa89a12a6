//! Variants: what jobs made to be chosen from.

use std::io::{Cursor, Write as _};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use patchbay_core::{
    audit, collab,
    documents::{
        DocumentView, MAX_CONTENT, NewDocument,
        store::{self as documents, NewAttachment},
    },
    ids::{ExportId, JobId, VariantId},
    jobs::variant::{self, Format, VariantView, store},
    tenancy::Actor,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Api, Page, jobs::whole, op};
use crate::{
    app::App,
    extract::{Json, MaybeJson, Path, Proposer, Query, Reader, check_if_match},
    problem::Problem,
};

/// The most variants that are accepted or exported at once.
const MAX_TOGETHER: usize = 50;

pub(super) fn routes(api: Api) -> Api {
    api.get("/jobs/{id}/variants", of_job, op("jobs", "What a generating job made to be chosen from").answer::<Page<VariantView>>(200))
        .get("/variants/{id}", read, op("variants", "Read a variant").answer::<VariantView>(200))
        .get(
            "/variants/{id}/file",
            bytes,
            op("variants", "Fetch what a variant is where it is more than text, an image").plain(200, "application/octet-stream"),
        )
        .put(
            "/variants/{id}",
            edit,
            op("variants", "Put other words in the place of a variant's")
                .header("If-Match", "The ETag of the variant that the words are meant to replace: another one answers 412, none 428.")
                .body::<EditVariant>()
                .answer::<VariantView>(200)
                .problem(409)
                .problem(412)
                .problem(428),
        )
        .post(
            "/variants/{id}/accept",
            accept,
            op("variants", "Accept a variant, or several at once: each becomes a document").maybe_body::<AcceptVariants>().answer::<Accepted>(200),
        )
        .post(
            "/export/{id}",
            export,
            op("variants", "Write a variant as a file, or several as one ZIP").query::<ExportQuery>().maybe_body::<AcceptVariants>().answer::<Exported>(201),
        )
        .get("/exports/{id}", fetch, op("variants", "Fetch a file that was written").plain(200, "application/octet-stream"))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EditVariant {
    #[schemars(length(min = 1, max = 200))]
    title: String,
    /// Markdown. Of an image it is what the image shows.
    #[schemars(length(max = MAX_CONTENT))]
    content: String,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AcceptVariants {
    /// Others that go with it.
    #[serde(default)]
    #[schemars(length(max = MAX_TOGETHER))]
    also: Vec<VariantId>,
}

#[derive(Serialize, JsonSchema)]
struct Accepted {
    /// In the order of the variants.
    documents: Vec<DocumentView>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExportQuery {
    /// Absent: Markdown. An image is written as it is.
    format: Option<Format>,
}

/// A file that is there to be fetched for 32 days.
#[derive(Serialize, JsonSchema)]
struct Exported {
    id: ExportId,
    name: String,
    media_type: String,
    size_bytes: usize,
    /// Where to fetch it.
    url: String,
}

async fn of_job(State(app): State<App>, reader: Reader, Path(id): Path<JobId>) -> Result<Json<Page<VariantView>>, Problem> {
    whole(&reader)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let found = store::of_job(&mut tx, id).await?;
    tx.rollback().await?;
    Ok(Json(Page::whole(found)))
}

fn none() -> Problem {
    Problem::not_found("There is no such variant.")
}

async fn read(State(app): State<App>, reader: Reader, Path(id): Path<VariantId>) -> Result<Json<VariantView>, Problem> {
    whole(&reader)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let found = store::find(&mut tx, &[id]).await?.pop().ok_or_else(none)?;
    tx.rollback().await?;
    Ok(Json(found))
}

async fn bytes(State(app): State<App>, reader: Reader, Path(id): Path<VariantId>) -> Result<Response, Problem> {
    let Json(variant) = read(State(app.clone()), reader.clone(), Path(id)).await?;
    let stored = variant.file.as_deref().ok_or_else(|| Problem::not_found("This variant is text: its `content` is all there is."))?;
    download(&app, &reader, stored, &variant.title, &variant.media_type).await
}

async fn edit(
    State(app): State<App>,
    proposer: Proposer,
    headers: HeaderMap,
    Path(id): Path<VariantId>,
    Json(input): Json<EditVariant>,
) -> Result<Json<VariantView>, Problem> {
    whole(&proposer)?;
    super::documents::check_text(Some(&input.title), Some(&input.content))?;
    let mut tx = app.db.begin(proposer.organization).await?;
    let before = store::lock(&mut tx, &[id]).await?.pop().ok_or_else(none)?;
    if !headers.contains_key(header::IF_MATCH) {
        return Err(Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            "no-if-match",
            "Say what the change is meant for",
            "Send the ETag that you read as `If-Match`.",
        ));
    }
    check_if_match(&headers, &before)?;
    if before.state == variant::State::Accepted {
        return Err(Problem::conflict("accepted", "This variant was accepted: what it became is a document, and that is changed instead."));
    }
    let after = store::edit(&mut tx, app.ctx.as_ref(), id, input.title.trim(), &input.content).await?;
    let details = json!({ "job": after.job, "version": after.version });
    audit::store::append(&mut tx, app.ctx.as_ref(), &proposer, "variant.edited", &id.to_string(), &details).await?;
    tx.commit().await?;
    Ok(Json(after))
}

/// The variant and those that go with it, each once.
fn together(id: VariantId, also: Vec<VariantId>) -> Result<Vec<VariantId>, Problem> {
    if also.len() > MAX_TOGETHER {
        return Err(Problem::fault("/also", format!("at most {MAX_TOGETHER} go together")));
    }
    let mut ids = vec![id];
    for other in also {
        if !ids.contains(&other) {
            ids.push(other);
        }
    }
    Ok(ids)
}

fn all(found: &[VariantView], ids: &[VariantId]) -> Result<(), Problem> {
    match ids.iter().position(|id| !found.iter().any(|variant| variant.id == *id)) {
        None => Ok(()),
        Some(0) => Err(none()),
        Some(at) => Err(Problem::fault(&format!("/also/{}", at - 1), "there is no such variant")),
    }
}

async fn accept(
    State(app): State<App>,
    proposer: Proposer,
    Path(id): Path<VariantId>,
    MaybeJson(input): MaybeJson<AcceptVariants>,
) -> Result<Json<Accepted>, Problem> {
    whole(&proposer)?;
    let ids = together(id, input.also)?;
    let ctx = app.ctx.as_ref();
    let mut tx = app.db.begin(proposer.organization).await?;
    let found = store::lock(&mut tx, &ids).await?;
    all(&found, &ids)?;
    let mut made = Vec::with_capacity(ids.len());
    for variant in ids.iter().filter_map(|id| found.iter().find(|variant| variant.id == *id)) {
        // Accepted again, it is the document that it has become.
        let document = match variant.document {
            Some(document) => document,
            None => document_of(&mut tx, ctx, &proposer, variant).await?,
        };
        made.extend(documents::find(&mut tx, document).await?);
    }
    tx.commit().await?;
    app.committed(proposer.organization);
    Ok(Json(Accepted { documents: made }))
}

async fn document_of(
    conn: &mut sqlx::PgConnection,
    ctx: &dyn patchbay_core::ids::Context,
    actor: &Actor,
    variant: &VariantView,
) -> Result<patchbay_core::ids::DocumentId, Problem> {
    let new = NewDocument {
        title: &variant.title,
        content: &variant.content,
        file: variant.file.as_deref(),
        media_type: &variant.media_type,
        variant: Some(variant.id),
        keep_days: None,
    };
    let id = documents::create(conn, ctx, actor.organization, &actor.handle, &new).await?;
    store::became(conn, ctx, variant.id, id).await?;
    let details = json!({ "document": id, "job": variant.job });
    audit::store::append(conn, ctx, actor, "variant.accepted", &variant.id.to_string(), &details).await?;
    collab::store::append(conn, actor.organization, ctx.now(), "variant.accepted", &actor.handle, &variant.id.to_string(), &details).await?;
    Ok(id)
}

/// One file of an export.
struct File {
    name: String,
    media_type: String,
    bytes: Vec<u8>,
}

async fn export(
    State(app): State<App>,
    reader: Reader,
    Path(id): Path<VariantId>,
    Query(query): Query<ExportQuery>,
    MaybeJson(input): MaybeJson<AcceptVariants>,
) -> Result<(StatusCode, Json<Exported>), Problem> {
    whole(&reader)?;
    let ids = together(id, input.also)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let found = store::find(&mut tx, &ids).await?;
    tx.rollback().await?;
    all(&found, &ids)?;
    let mut files = Vec::with_capacity(ids.len());
    for variant in &found {
        files.push(file(&app, &reader, variant, query.format.unwrap_or_default()).await?);
    }
    let file = match files.pop() {
        Some(one) if files.is_empty() => one,
        last => zip(files.into_iter().chain(last)).map_err(|error| Problem::ours(&error))?,
    };
    let size_bytes = file.bytes.len();
    let stored = app.files.put(reader.organization, file.bytes).await.map_err(|error| Problem::ours(&error))?;
    let new = NewAttachment { name: &file.name, media_type: &file.media_type, file: &stored, size_bytes: i64::try_from(size_bytes).unwrap_or(i64::MAX) };
    let mut tx = app.db.begin(reader.organization).await?;
    let id = documents::exported(&mut tx, app.ctx.as_ref(), reader.organization, &reader.handle, &new).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(Exported { id, name: file.name, media_type: file.media_type, size_bytes, url: format!("/api/v1/exports/{id}") })))
}

async fn file(app: &App, actor: &Actor, variant: &VariantView, format: Format) -> Result<File, Problem> {
    let stem: String = variant.title.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).take(60).collect();
    let stem = format!("{}-{}", stem.trim_matches('-').to_lowercase(), variant.number);
    let Some(stored) = &variant.file else {
        return Ok(File { name: format!("{stem}.{}", format.ending()), media_type: format.media_type().to_owned(), bytes: format.write(variant).into_bytes() });
    };
    let bytes = app.files.get(actor.organization, stored).await.map_err(|error| Problem::ours(&error))?;
    let bytes = bytes.ok_or_else(|| Problem::not_found("The bytes of this image are gone."))?;
    let ending = variant.media_type.rsplit('/').next().unwrap_or("bin");
    Ok(File { name: format!("{stem}.{ending}"), media_type: variant.media_type.clone(), bytes })
}

fn zip(files: impl Iterator<Item = File>) -> zip::result::ZipResult<File> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut taken: Vec<String> = Vec::new();
    for file in files {
        // Variants of different jobs may have the same title and number.
        let mut name = file.name.clone();
        for more in 2.. {
            if !taken.contains(&name) {
                break;
            }
            name = format!("{more}-{}", file.name);
        }
        writer.start_file(name.as_str(), zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored))?;
        writer.write_all(&file.bytes)?;
        taken.push(name);
    }
    Ok(File { name: "variants.zip".into(), media_type: "application/zip".into(), bytes: writer.finish()?.into_inner() })
}

async fn fetch(State(app): State<App>, reader: Reader, Path(id): Path<ExportId>) -> Result<Response, Problem> {
    whole(&reader)?;
    let mut tx = app.db.begin(reader.organization).await?;
    let found = documents::find_export(&mut tx, id).await?;
    tx.rollback().await?;
    let found = found.ok_or_else(|| Problem::not_found("There is no such file: files are kept for 32 days."))?;
    download(&app, &reader, &found.file, &found.name, &found.media_type).await
}

/// Bytes as a file to be saved, which a browser does not run.
pub(super) async fn download(app: &App, actor: &Actor, file: &str, name: &str, media_type: &str) -> Result<Response, Problem> {
    let bytes = app.files.get(actor.organization, file).await.map_err(|error| Problem::ours(&error))?;
    let bytes = bytes.ok_or_else(|| Problem::not_found("The bytes of this file are gone."))?;
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_. ".contains(c) { c } else { '_' }).collect();
    let mut response = Response::new(bytes.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(media_type).unwrap_or(HeaderValue::from_static("application/octet-stream")));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{plain}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}
