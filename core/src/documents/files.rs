//! Bytes that are too many for a row, in an object store: a folder of the data directory, or a bucket that speaks S3.
//!
//! They are named by what they are, below their organisation: the same bytes again are the same file.

use std::{path::Path as Folder, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt as _, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    local::LocalFileSystem,
    path::Path,
    prefix::PrefixStore,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::ids::OrganizationId;

/// The store of files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Files(Arc<dyn ObjectStore>);

/// Where files lie.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// A bucket of an S3-compatible service; without one they lie in the data directory.
    pub bucket: Option<String>,
    /// Where the service is, `https://s3.example.com`; Amazon's where nothing is said.
    pub endpoint: Option<String>,
    pub region: String,
    /// Without keys those of the machine are asked for, as Amazon's own programs do it.
    pub access_key_id: Option<String>,
    pub secret_access_key: Option<SecretString>,
    /// Put before the names of all files, so that several may share a bucket.
    pub prefix: String,
}

/// How long a request to the bucket may take, all its tries together.
const BUCKET_TIMEOUT: Duration = Duration::from_secs(30);

/// A file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the file store failed")]
pub struct FileError(#[from] object_store::Error);

impl Files {
    /// Files where the settings have them: in a bucket, which is not asked for anything yet, or in a folder of the data directory.
    pub fn open(settings: &Settings, data_dir: &Folder) -> std::io::Result<Self> {
        match &settings.bucket {
            Some(bucket) => Self::in_bucket(bucket, settings).map_err(std::io::Error::other),
            None => Self::in_folder(&data_dir.join("files")),
        }
    }

    /// Files in a folder, which is made where it is not there.
    pub fn in_folder(folder: &Folder) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(std::io::Error::other)?;
        Ok(Self(Arc::new(store)))
    }

    fn in_bucket(bucket: &str, settings: &Settings) -> Result<Self, FileError> {
        let is_plain = settings.endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("http://"));
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(&settings.region)
            .with_client_options(ClientOptions::new().with_allow_http(is_plain).with_timeout(BUCKET_TIMEOUT).with_connect_timeout(Duration::from_secs(5)))
            .with_retry(RetryConfig { backoff: BackoffConfig::default(), max_retries: 3, retry_timeout: BUCKET_TIMEOUT });
        let given = [
            (AmazonS3ConfigKey::Endpoint, settings.endpoint.as_deref()),
            (AmazonS3ConfigKey::AccessKeyId, settings.access_key_id.as_deref()),
            (AmazonS3ConfigKey::SecretAccessKey, settings.secret_access_key.as_ref().map(SecretString::expose_secret)),
        ];
        for (key, value) in given {
            if let Some(value) = value {
                builder = builder.with_config(key, value);
            }
        }
        Ok(Self(Arc::new(PrefixStore::new(builder.build()?, settings.prefix.as_str()))))
    }

    /// Whether the store takes a file, gives it back and drops it: what an operator wants to know before somebody else does.
    pub async fn check(&self) -> Result<(), FileError> {
        let path = Path::from("check");
        self.0.put(&path, b"Patchbay was here".as_slice().into()).await?;
        self.0.get(&path).await?.bytes().await?;
        Ok(self.0.delete(&path).await?)
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
