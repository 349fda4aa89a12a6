//! Bytes that are too many for a row, in an object store: a folder of the data directory.
//!
//! They are named by what they are, below their organisation: the same bytes again are the same file.

use std::{path::Path as Folder, sync::Arc};

use object_store::{ObjectStore, ObjectStoreExt as _, local::LocalFileSystem, path::Path};

use crate::ids::OrganizationId;

/// The store of files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Files(Arc<dyn ObjectStore>);

/// A file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the file store failed")]
pub struct FileError(#[from] object_store::Error);

impl Files {
    /// Files in a folder, which is made where it is not there.
    pub fn in_folder(folder: &Folder) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(std::io::Error::other)?;
        Ok(Self(Arc::new(store)))
    }

    /// Keeps bytes; their name.
    pub async fn put(&self, organization: OrganizationId, bytes: Vec<u8>) -> Result<String, FileError> {
        let name = blake3::hash(&bytes).to_hex().to_string();
        self.0.put(&path(organization, &name), bytes.into()).await?;
        Ok(name)
    }

    /// The bytes of a name; `None` where there are none.
    pub async fn get(&self, organization: OrganizationId, name: &str) -> Result<Option<Vec<u8>>, FileError> {
        match self.0.get(&path(organization, name)).await {
            Ok(found) => Ok(Some(found.bytes().await?.to_vec())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Drops the bytes of a name.
    pub async fn delete(&self, organization: OrganizationId, name: &str) -> Result<(), FileError> {
        match self.0.delete(&path(organization, name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn path(organization: OrganizationId, name: &str) -> Path {
    Path::from_iter([organization.to_string().as_str(), &name[..name.len().min(2)], name])
}
