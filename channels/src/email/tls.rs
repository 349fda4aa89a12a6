//! Whom the mail servers must prove to be, and what is said when they do not.

use std::{error::Error, io, path::Path, sync::Arc};

use anyhow::Context as _;
use lettre::transport::smtp::client::{Certificate, TlsParameters};
use rustls_platform_verifier::Verifier;
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, pem::PemObject},
};

/// The authorities that are believed: those that the machine trusts, and one's own.
#[derive(Clone, Debug, Default)]
pub struct Authorities {
    pem: Option<Vec<u8>>,
    own: Vec<CertificateDer<'static>>,
}

impl Authorities {
    /// With the certificates of a file in PEM, where one is named.
    pub fn read(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let pem = std::fs::read(path).with_context(|| format!("the file of authorities {} cannot be read", path.display()))?;
        let own: Vec<_> = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<_, _>>()
            .map_err(|error| anyhow::anyhow!("the file of authorities {} is not PEM: {error:?}", path.display()))?;
        anyhow::ensure!(!own.is_empty(), "the file of authorities {} has no certificate in it", path.display());
        Ok(Self { pem: Some(pem), own })
    }

    /// How a connection to an IMAP server is secured.
    pub(super) fn client(&self) -> anyhow::Result<Arc<ClientConfig>> {
        let provider = Arc::new(default_provider());
        let verifier = Verifier::new_with_extra_roots(self.own.iter().cloned(), provider.clone()).context("the machine's certificates cannot be read")?;
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().context("TLS cannot be set up")?;
        Ok(Arc::new(config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()))
    }

    /// How a connection to an SMTP server of a name is secured.
    pub(super) fn parameters(&self, host: &str) -> anyhow::Result<TlsParameters> {
        let mut parameters = TlsParameters::builder(host.to_owned());
        if let Some(pem) = &self.pem {
            parameters = parameters.add_root_certificate(Certificate::from_pem(pem).context("the file of authorities cannot be used")?);
        }
        parameters.build().context("TLS cannot be set up")
    }
}

/// Why a server is not believed, where it is its certificate; for whoever runs this.
pub(super) fn distrust(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let found: Option<&rustls::Error> = error.downcast_ref().or_else(|| inner.and_then(|inner| inner.downcast_ref()));
        if let Some(rustls::Error::InvalidCertificate(fault)) = found {
            return Some(told(fault));
        }
        next = error.source().or_else(|| inner.and_then(|inner| inner.source()));
    }
    None
}

fn told(fault: &CertificateError) -> String {
    match fault {
        // Of an authority that has the name of one that is trusted, and another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is of no authority that is trusted here: where it is one of your own, name its file in `email.ca_file`".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name: use in the address the name that the certificate has".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has run out".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "its certificate does not hold yet: is the clock right?".to_owned(),
        fault => format!("its certificate is not accepted: {fault}"),
    }
}
