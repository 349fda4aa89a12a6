//! The chain over an organisation's entries: sealed behind the writers, who pay nothing for it (docs/adr/0013).

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Receipt,
    store::{self, Seal, Written},
};
use crate::{
    db::Db,
    ids::{Context, OrganizationId},
};

/// How many entries a seal covers at most.
const MOST: i64 = 1_000;
/// How many seals are looked at together when the chain is proven.
const STRETCH: i64 = 50;

/// Names what is hashed, so that nothing else has the same digest.
const CONTEXT: &str = "Patchbay 2026-11-21 an entry of the audit trail";

impl Written {
    /// Of all its fields, each behind its length: one entry has one digest, and no two have the same.
    fn digest(&self, organization: OrganizationId) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        let mut field = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        field(organization.0.as_bytes());
        field(&self.place.seq.to_le_bytes());
        field(self.place.id.as_bytes());
        field(&self.at.timestamp_micros().to_le_bytes());
        field(self.member.as_ref().map_or(&[], |member| member.as_bytes().as_slice()));
        field(self.actor.as_bytes());
        field(self.action.as_bytes());
        field(self.target.as_bytes());
        field(self.details.as_bytes());
        hasher.finalize().into()
    }
}

/// The head behind some entries.
fn head(before: &[u8], digests: &[u8]) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before);
    hasher.update(digests);
    hasher.finalize().as_bytes().to_vec()
}

/// Seals what has settled since the last seal. Answers the head that the chain has now; `None` before the first seal.
pub async fn seal(db: &Db, ctx: &dyn Context, organization: OrganizationId) -> sqlx::Result<Option<Receipt>> {
    let mut tip = store::tip(db, organization).await?;
    while tip.is_outgrown {
        let mut tx = db.snapshot(organization).await?;
        let last = store::last_seal(&mut tx).await?.unwrap_or_default();
        let entries = store::settled_after(&mut tx, last.place, MOST).await?;
        tx.rollback().await?;
        // What is behind the head may not have settled yet.
        let Some(end) = entries.last() else { break };
        let digests: Vec<u8> = entries.iter().flat_map(|entry| entry.digest(organization)).collect();
        let seal = Seal {
            number: last.number + 1,
            place: end.place,
            entries: last.entries + i64::try_from(entries.len()).unwrap_or(MOST),
            ids: entries.iter().map(|entry| entry.place.id).collect(),
            head: head(&last.head, &digests),
            digests,
        };
        let mut tx = db.begin(organization).await?;
        // Where another process was first, its seal counts.
        store::insert_seal(&mut tx, organization, &seal, ctx.now()).await?;
        tx.commit().await?;
        tip = store::tip(db, organization).await?;
    }
    Ok(tip.receipt)
}

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// `audit entry 01989d…`, `audit seal 12`.
    pub place: String,
    pub what: String,
}

/// What the proof of a chain came to.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// How many entries fit, up to the first that does not.
    pub entries: i64,
    /// How many wait to be sealed.
    pub unsealed: i64,
    /// The newest head.
    pub receipt: Option<Receipt>,
    /// The first that does not fit.
    pub misfit: Option<Misfit>,
}

/// Hashes all entries anew and compares them with the seals. Changes nothing. The transaction must see one snapshot.
pub async fn verify(conn: &mut PgConnection, organization: OrganizationId) -> sqlx::Result<Proof> {
    let mut proof = Proof::default();
    let mut last = Seal::default();
    loop {
        let seals = store::seals_after(&mut *conn, last.number, STRETCH).await?;
        let Some(end) = seals.last() else { break };
        let mut entries = store::between(&mut *conn, last.place, end.place).await?.into_iter().peekable();
        for seal in seals {
            let mut covered = Vec::new();
            while let Some(entry) = entries.next_if(|entry| entry.place <= seal.place) {
                covered.push(entry);
            }
            proof.misfit = compare_seal(&last, &seal).or_else(|| compare_entries(organization, &seal, &covered));
            if proof.misfit.is_some() {
                return Ok(proof);
            }
            proof.entries = seal.entries;
            proof.receipt = Some(seal.receipt());
            last = seal;
        }
    }
    proof.unsealed = store::count_after(conn, last.place).await?;
    Ok(proof)
}

/// A seal must go on where the one before it ended, and have the head that follows.
fn compare_seal(before: &Seal, seal: &Seal) -> Option<Misfit> {
    let place = format!("audit seal {}", seal.number);
    let covers = i64::try_from(seal.ids.len()).unwrap_or(i64::MAX);
    let what = if seal.number != before.number + 1 {
        format!("seal {} is missing", before.number + 1)
    } else if head(&before.head, &seal.digests) != seal.head {
        "its head does not follow from the one before: this seal was changed, or one before it was".to_owned()
    } else if seal.entries != before.entries + covers || seal.digests.len() != seal.ids.len() * 32 || seal.ids.last() != Some(&seal.place.id) {
        "it does not cover what it says".to_owned()
    } else {
        return None;
    };
    Some(Misfit { place, what })
}

/// The first entry that is not as it was sealed.
fn compare_entries(organization: OrganizationId, seal: &Seal, entries: &[Written]) -> Option<Misfit> {
    let misfit = |id: Uuid, what: String| Some(Misfit { place: format!("audit entry {id}"), what });
    let is_sealed = |entry: &Written| seal.ids.contains(&entry.place.id);
    let mut sealed = seal.ids.iter().zip(seal.digests.chunks_exact(32));
    for entry in entries {
        if !is_sealed(entry) {
            return misfit(entry.place.id, format!("it was put in after this stretch was sealed: {entry}"));
        }
        match sealed.next() {
            Some((id, digest)) if *id == entry.place.id => {
                if entry.digest(organization) != *digest {
                    return misfit(*id, format!("it was changed after it was sealed, and says now: {entry}"));
                }
            }
            Some((id, _)) => return misfit(*id, "it was taken out after it was sealed, or moved".to_owned()),
            None => return misfit(entry.place.id, format!("it is there twice: {entry}")),
        }
    }
    sealed.next().and_then(|(id, _)| misfit(*id, "it was taken out after it was sealed".to_owned()))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::{super::store::Place, *};

    fn entry(number: u8) -> Written {
        Written {
            place: Place { seq: number.into(), id: Uuid::from_bytes([number; 16]) },
            at: DateTime::UNIX_EPOCH,
            member: None,
            actor: "ana".into(),
            action: "key.created".into(),
            target: "pb_…".into(),
            details: "{}".into(),
        }
    }

    #[test]
    fn the_first_entry_that_does_not_fit_is_named() {
        let organization = OrganizationId(Uuid::nil());
        let entries: Vec<Written> = (1..=4).map(entry).collect();
        let digests: Vec<u8> = entries.iter().flat_map(|entry| entry.digest(organization)).collect();
        let seal = Seal {
            number: 1,
            place: entries[3].place,
            entries: 4,
            ids: entries.iter().map(|entry| entry.place.id).collect(),
            head: head(&[], &digests),
            digests,
        };
        assert_eq!(compare_seal(&Seal::default(), &seal), None);
        let check = |entries: &[Written], expected: Option<(u8, &str)>| {
            let found = compare_entries(organization, &seal, entries);
            match expected {
                None => assert_eq!(found, None),
                Some((number, what)) => {
                    let found = found.unwrap();
                    assert_eq!(found.place, format!("audit entry {}", Uuid::from_bytes([number; 16])));
                    assert!(found.what.contains(what), "{}", found.what);
                }
            }
        };
        check(&entries, None);
        let mut changed = entries.clone();
        changed[1].actor = "bob".into();
        check(&changed, Some((2, "changed")));
        check(&[&entries[..2], &entries[3..]].concat(), Some((3, "taken out")));
        check(&entries[..3], Some((4, "taken out")));
        check(&[&entries[..2], &[entry(9)], &entries[2..]].concat(), Some((9, "put in")));
        for wrong in [Seal { entries: 5, ..seal.clone() }, Seal { head: vec![0; 32], ..seal.clone() }, Seal { number: 2, ..seal.clone() }] {
            assert!(compare_seal(&Seal::default(), &wrong).is_some());
        }
    }

    #[test]
    fn what_moves_from_one_field_to_the_next_is_another_entry() {
        let organization = OrganizationId(Uuid::nil());
        let one = Written { actor: "ab".into(), action: "c".into(), ..entry(1) };
        let other = Written { actor: "a".into(), action: "bc".into(), ..entry(1) };
        assert_ne!(one.digest(organization), other.digest(organization));
    }
}
