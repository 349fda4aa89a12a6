//! Trees, ready to be sent: rendered once for each version of a project and kept while that is the newest.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::Row;

use super::{store, view::Tree};
use crate::{
    db::Db,
    ids::OrganizationId,
    patch::{ProjectId, id::is_key, plan::Plan},
    tenancy::Actor,
};

/// How many bytes of trees are kept.
const CAPACITY: usize = 32 << 20;

/// A rendered tree.
#[derive(Clone, Debug)]
pub struct Rendered {
    pub version: i32,
    /// JSON.
    pub body: Arc<[u8]>,
}

/// The trees that were asked for. What is kept is only believed after the version was compared.
#[derive(Debug, Default)]
pub struct Trees {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    trees: HashMap<(OrganizationId, ProjectId), Rendered>,
    bytes: usize,
}

impl Trees {
    /// The tree of a project by id or key: one version check where it is known, else two queries more.
    pub async fn get(&self, db: &Db, actor: &Actor, name: &str) -> sqlx::Result<Option<Rendered>> {
        let wanted = if let Ok(id) = name.parse::<ProjectId>() {
            format!("project_id = '{id}'")
        } else {
            let key = name.to_ascii_uppercase();
            if !is_key(&key) {
                return Ok(None);
            }
            format!("key = '{key}'")
        };
        let row = db.glance(actor.organization, &format!("select project_id, version, null from project where {wanted} and deleted_at is null")).await?;
        let Some(row) = row else { return Ok(None) };
        let (project, version): (ProjectId, i32) = (row.try_get(0)?, row.try_get(1)?);
        if !actor.sees(project) {
            return Ok(None);
        }
        if let Some(tree) = self.find(actor.organization, project).filter(|tree| tree.version == version) {
            return Ok(Some(tree));
        }
        let mut tx = db.snapshot(actor.organization).await?;
        let Some(row) = store::find_project(&mut tx, &project.to_string()).await? else { return Ok(None) };
        // To be shown it needs to know no members.
        let plan = Plan::new(row.project.clone(), BTreeSet::new(), store::load_tasks(&mut tx, project).await?);
        tx.commit().await?;
        let tree = Tree::new(&plan, row.created_at, row.updated_at);
        let body = serde_json::to_vec(&tree).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let rendered = Rendered { version: row.project.version, body: body.into() };
        self.keep(actor.organization, project, rendered.clone());
        Ok(Some(rendered))
    }

    fn find(&self, organization: OrganizationId, project: ProjectId) -> Option<Rendered> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).trees.get(&(organization, project)).cloned()
    }

    fn keep(&self, organization: OrganizationId, project: ProjectId, tree: Rendered) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Dropping all is rare and simple; what is in use is soon there again.
        if kept.bytes + tree.body.len() > CAPACITY {
            *kept = Kept::default();
        }
        kept.bytes += tree.body.len();
        if let Some(old) = kept.trees.insert((organization, project), tree) {
            kept.bytes -= old.body.len();
        }
    }
}
