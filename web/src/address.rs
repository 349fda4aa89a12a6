//! Where a running service is: it leaves its address in the data directory, for commands that work beside it.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::settings::Settings;

const FILE: &str = "address";
/// How long it takes at most to see that nobody listens any more: it is on this machine.
const PATIENCE: Duration = Duration::from_millis(500);

/// The address that was left; taken away when this is dropped.
pub(crate) struct Left {
    path: PathBuf,
    address: SocketAddr,
}

impl Left {
    /// Leaves the address, in one step, so that nobody reads half of it.
    pub(crate) fn leave(dir: &Path, address: SocketAddr) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let fresh = dir.join(format!("{FILE}.{}", std::process::id()));
        fs::write(&fresh, format!("{address}\n"))?;
        let path = dir.join(FILE);
        fs::rename(fresh, &path)?;
        Ok(Self { path, address })
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        // Another process may have left its own since.
        if read(&self.path) == Some(self.address) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn read(path: &Path) -> Option<SocketAddr> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// An address as one can go to it from this machine: one that means every interface is reached by the inner one.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { IpAddr::V6(Ipv6Addr::LOCALHOST) });
    }
    address
}

/// Where people reach the service: where the settings say so, else where one runs on this data directory, else where it would.
/// Without a slash at the end.
pub(crate) fn url(settings: &Settings) -> String {
    if let Some(url) = &settings.server.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    // One that was killed has left its address behind.
    let running = read(&settings.data.dir.join(FILE)).map(reachable).filter(|address| TcpStream::connect_timeout(address, PATIENCE).is_ok());
    format!("http://{}", running.unwrap_or_else(|| reachable(settings.server.listen)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_there_as_long_as_who_left_it() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two): (SocketAddr, SocketAddr) = ("127.0.0.1:8123".parse().unwrap(), "127.0.0.1:8124".parse().unwrap());
        let first = Left::leave(dir.path(), one).unwrap();
        assert_eq!(read(&dir.path().join(FILE)), Some(one));
        let second = Left::leave(dir.path(), two).unwrap();
        drop(first);
        assert_eq!(read(&dir.path().join(FILE)), Some(two), "the first does not take away what is the second's");
        drop(second);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn every_interface_is_reached_by_the_inner_one() {
        for (listens, reached) in [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("10.0.0.7:80", "10.0.0.7:80")] {
            assert_eq!(reachable(listens.parse().unwrap()).to_string(), reached);
        }
    }
}
