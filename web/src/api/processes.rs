//! The processes that tasks move through.

use patchbay_core::patch::process::Process;

use super::{Api, Page, op};
use crate::extract::{Json, Reader};

pub(super) fn routes(api: Api) -> Api {
    api.get("/processes", list, op("processes", "List processes: steps and the moves between them").answer::<Page<Process>>(200))
}

async fn list(_: Reader) -> Json<Page<Process>> {
    Json(Page::whole(Process::builtin().to_vec()))
}
