//! Receipts that go out with answers to changes: the head of the audit trail, as this process saw it last, within a second.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Mutex, PoisonError},
};

use axum::{
    http::{HeaderName, HeaderValue},
    response::{IntoResponseParts, ResponseParts},
};
use patchbay_core::{audit::Receipt, ids::OrganizationId};

/// The header that carries one.
pub(crate) const RECEIPT: HeaderName = HeaderName::from_static("patchbay-receipt");

/// The heads that were seen last. Answers take theirs from here, so that they cost no query.
#[derive(Debug, Default)]
pub struct Receipts(Mutex<HashMap<OrganizationId, Receipt>>);

impl Receipts {
    pub(crate) fn note(&self, organization: OrganizationId, receipt: Receipt) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(organization, receipt);
    }

    /// What goes out with an answer to this organisation; nothing before its first entry is sealed.
    pub(crate) fn of(&self, organization: OrganizationId) -> Receipted {
        Receipted(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&organization).cloned())
    }
}

/// An answer's receipt.
pub(crate) struct Receipted(Option<Receipt>);

impl IntoResponseParts for Receipted {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        if let Some(value) = self.0.and_then(|receipt| HeaderValue::try_from(receipt.to_string()).ok()) {
            parts.headers_mut().insert(RECEIPT, value);
        }
        Ok(parts)
    }
}
