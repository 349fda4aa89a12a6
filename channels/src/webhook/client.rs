//! HTTP to addresses that other people give: never to one inside the network, unless the operator allows it.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures::StreamExt as _;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::HeaderMap,
    redirect::Policy,
};

/// How long connecting may take, and one request as a whole.
const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(20);
/// How much of an answer is kept.
const MAX_ANSWER: usize = 4096;

/// What an endpoint answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// Its beginning.
    pub body: String,
}

/// A client that follows no redirect and takes no proxy, and that looks at the address it is about to connect to: a name that leads
/// elsewhere the second time it is asked for leads nowhere.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    allow_private: bool,
}

impl Client {
    pub fn new(allow_private: bool) -> reqwest::Result<Self> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("Patchbay/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(WHOLE);
        let builder = if allow_private { builder } else { builder.dns_resolver(Arc::new(Public)) };
        Ok(Self { http: builder.build()?, allow_private })
    }

    /// Whether an address can be one that is called; else what is wrong with it. Where its name leads is seen when connecting.
    pub fn check(&self, url: &str) -> Result<Url, String> {
        let url: Url = url.parse().map_err(|_| "this is no URL: it begins with `https://`".to_owned())?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_private => {}
            "http" => return Err("what is sent must not be read on the way: use `https://`".into()),
            _ => return Err("a URL begins with `https://`".into()),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a URL must have no name and no password in it: what is sent is signed".into());
        }
        // An address that stands for itself is never asked for by name.
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        match host.parse::<IpAddr>() {
            Ok(address) if !self.allow_private && !is_public(address) => Err(format!("{address} is a private address, which is not called")),
            _ => Ok(url),
        }
    }

    /// Posts a body. An error says, for people, why there is no answer.
    pub async fn post(&self, url: &str, headers: HeaderMap, body: String) -> Result<Answer, String> {
        let url = self.check(url)?;
        let response = self.http.post(url).headers(headers).body(body).send().await.map_err(|error| why(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        let mut stream = response.bytes_stream();
        while body.len() < MAX_ANSWER
            && let Some(Ok(piece)) = stream.next().await
        {
            body.extend_from_slice(&piece[..piece.len().min(MAX_ANSWER - body.len())]);
        }
        Ok(Answer { status, headers, body: String::from_utf8_lossy(&body).replace('\0', "\u{fffd}") })
    }
}

/// The innermost cause, which says most; without the URL, which people know.
fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Finds the addresses of a name and leaves out those that are not public.
struct Public;

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<SocketAddr> = found.iter().copied().filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(format!("{} leads to a private address, which is not called", name.as_str()).into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the public internet (the special-purpose registries of RFC 6890 and its successors).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && b & 0xc0 == 64)
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && b & 0xfe == 18))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        // An address of the other kind inside: mapped, translated, or tunnelled.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => inner(high, low),
        // Teredo, and what is for documents and benchmarks.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Only this eighth of all addresses is given out.
        _ => parts[0] & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for private in [
            "127.0.0.1",
            "127.8.8.8",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "198.18.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::",
            "2001::1",
            "2001:db8::1",
            "fec0::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in
            ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "198.20.0.1", "2606:4700::1111", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    fn client(allow_private: bool) -> Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::new(allow_private).unwrap()
    }

    #[test]
    fn a_url_that_is_never_called_is_told_at_once() {
        let strict = client(false);
        assert!(strict.check("https://example.com/hook").is_ok());
        for bad in [
            "example.com",
            "http://example.com",
            "ftp://example.com",
            "https://ana:x@example.com",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://169.254.169.254/latest",
        ] {
            assert!(strict.check(bad).is_err(), "{bad}");
        }
        assert!(client(true).check("http://127.0.0.1:8080/hook").is_ok());
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_followed() {
        let refused = client(false).post("https://localhost/", HeaderMap::new(), String::new()).await.unwrap_err();
        assert_eq!(refused, "localhost leads to a private address, which is not called");
    }
}
