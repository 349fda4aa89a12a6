//! What agents share: leases, the tasks as one document, ready work, presence, and the log of events.

mod leases;

use super::{Api, op};

pub(super) fn routes(api: Api) -> Api {
    leases::routes(api)
}
