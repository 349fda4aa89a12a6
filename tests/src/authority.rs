//! A certificate authority that exists for one test.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

/// An authority, and the folder with what it signed.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    dir: TempDir,
}

/// A server's certificate and its key, as files in PEM.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    pub fn new() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("authority").tempdir()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        fs::write(dir.path().join("ca.pem"), params.self_signed(&key)?.pem())?;
        Ok(Self { issuer: Issuer::new(params, key), dir })
    }

    /// The authority's own certificate in PEM: who trusts it trusts what it signed.
    pub fn file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Signs a certificate for a name.
    pub fn certificate(&self, name: &str) -> Result<Certificate> {
        let key = KeyPair::generate()?;
        let signed = CertificateParams::new(vec![name.to_owned()])?.signed_by(&key, &self.issuer)?;
        let path = |end: &str| self.dir.path().join(format!("{name}.{end}"));
        let certificate = Certificate { certificate: path("pem"), key: path("key") };
        fs::write(&certificate.certificate, signed.pem())?;
        fs::write(&certificate.key, key.serialize_pem())?;
        Ok(certificate)
    }
}

impl Certificate {
    /// What a server of ours answers with.
    pub fn acceptor(&self) -> Result<TlsAcceptor> {
        let read = |path: &Path| fs::read(path);
        let chain = vec![CertificateDer::from_pem_slice(&read(&self.certificate)?).map_err(|error| anyhow::anyhow!("{error:?}"))?];
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?.with_no_client_auth();
        Ok(TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key)?)))
    }
}
