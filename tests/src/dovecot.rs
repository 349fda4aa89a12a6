//! A real IMAP server with mailboxes of its own: dovecot, run from a folder that is thrown away.

use std::{
    fmt::Write as _,
    fs,
    io::ErrorKind,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};

use crate::{authority::Certificate, until::found};

const PASSWORD: &str = "secret";

/// A running server. Every address has a mailbox, with the same password.
pub struct Dovecot {
    port: u16,
    /// Where TLS begins with the connection.
    tls_port: u16,
    program: PathBuf,
    dir: TempDir,
    owner: Option<(u32, u32)>,
    master: Child,
    delivered: AtomicUsize,
}

impl Dovecot {
    /// Starts one without TLS. `tests/mailserver` says what to install where there is none.
    pub async fn start() -> Result<Self> {
        Self::start_with(None).await
    }

    /// Starts one; with a certificate it offers TLS.
    pub async fn start_with(certificate: Option<&Certificate>) -> Result<Self> {
        let program = program()?;
        let dir = tempfile::Builder::new().prefix("dovecot").tempdir()?;
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))?;
        // Root may neither read mails nor answer strangers: dovecot has accounts for that.
        let owner = if number("-u", None)? == 0 { Some((number("-u", Some("dovecot"))?, number("-g", Some("dovecot"))?)) } else { None };
        for name in ["run", "mail"] {
            let path = dir.path().join(name);
            fs::create_dir(&path)?;
            if let (Some((uid, gid)), "mail") = (owner, name) {
                chown(&path, Some(uid), Some(gid))?;
            }
        }
        // Both are held at once, so that they are two.
        let (plain, tls) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let (port, tls_port) = (plain.local_addr()?.port(), tls.local_addr()?.port());
        drop((plain, tls));
        let tls = certificate.map(|certificate| (certificate, tls_port));
        fs::write(dir.path().join("dovecot.conf"), configuration(&program, dir.path(), port, tls, owner)?)?;
        let log = fs::File::create(dir.path().join("out"))?;
        let master = Command::new(&program)
            .arg("-F")
            .arg("-c")
            .arg(dir.path().join("dovecot.conf"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let server = Self { port, tls_port, program, dir, owner, master, delivered: AtomicUsize::new(0) };
        server.answers().await?;
        Ok(server)
    }

    /// Where the mailbox of an address is read.
    pub fn url(&self, address: &str) -> String {
        format!("imap://{}:{PASSWORD}@127.0.0.1:{}", address.replace('@', "%40"), self.port)
    }

    /// The same over TLS, by the server's name: from the start, or by STARTTLS.
    pub fn secure_url(&self, address: &str, upgraded: bool) -> String {
        let (scheme, port, end) = if upgraded { ("imap", self.port, "?tls=required") } else { ("imaps", self.tls_port, "") };
        format!("{scheme}://{}:{PASSWORD}@localhost:{port}{end}", address.replace('@', "%40"))
    }

    /// Puts a mail into the mailbox of an address, as a mail server does.
    pub fn deliver(&self, address: &str, mail: &[u8]) -> Result<()> {
        let mailbox = self.mailbox(address);
        for folder in ["", "tmp", "new", "cur"] {
            let path = mailbox.join(folder);
            if !path.exists() {
                fs::create_dir_all(&path)?;
                if let Some((uid, gid)) = self.owner {
                    chown(&path, Some(uid), Some(gid))?;
                }
            }
        }
        let number = self.delivered.fetch_add(1, Ordering::SeqCst);
        let name = format!("{:06}.{}.test", number, std::process::id());
        fs::write(mailbox.join("tmp").join(&name), mail)?;
        fs::rename(mailbox.join("tmp").join(&name), mailbox.join("new").join(&name))?;
        Ok(())
    }

    /// How many mails of an address are marked as seen, and how many are not.
    pub fn seen(&self, address: &str) -> Result<(usize, usize)> {
        let mut counts = (0, 0);
        for folder in ["new", "cur"] {
            let path = self.mailbox(address).join(folder);
            for entry in path.exists().then(|| fs::read_dir(&path)).transpose()?.into_iter().flatten() {
                let name = entry?.file_name().to_string_lossy().into_owned();
                let is_seen = name.rsplit_once(":2,").is_some_and(|(_, flags)| flags.contains('S'));
                if is_seen { counts.0 += 1 } else { counts.1 += 1 }
            }
        }
        Ok(counts)
    }

    /// Marks all mails of an address as not seen, as if whoever read them had died before it marked them.
    pub fn mark_unseen(&self, address: &str) -> Result<()> {
        for entry in fs::read_dir(self.mailbox(address).join("cur"))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Some((base, flags)) = name.rsplit_once(":2,") {
                fs::rename(&path, path.with_file_name(format!("{base}:2,{}", flags.replace('S', ""))))?;
            }
        }
        Ok(())
    }

    /// Gives a mailbox another UIDVALIDITY: what its server knew of it is gone.
    pub fn forget(&self, address: &str) -> Result<()> {
        for entry in fs::read_dir(self.mailbox(address))? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("dovecot")) && path.is_file() {
                // The server cleans up, too.
                match fs::remove_file(path) {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Cuts all connections; the server goes on.
    pub fn cut(&self) -> Result<()> {
        let status = Command::new(&self.program)
            .arg("-c")
            .arg(self.dir.path().join("dovecot.conf"))
            .arg("reload")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        anyhow::ensure!(status.success(), "dovecot does not reload");
        Ok(())
    }

    fn mailbox(&self, address: &str) -> PathBuf {
        self.dir.path().join("mail").join(address)
    }

    async fn answers(&self) -> Result<()> {
        found("dovecot answers", async || {
            let mut greeting = [0; 4];
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)).await
                && stream.read_exact(&mut greeting).await.is_ok()
                && &greeting == b"* OK"
            {
                return Ok(Ok(()));
            }
            Ok(Err(["out", "log"].map(|name| fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()).concat()))
        })
        .await
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // What it keeps is thrown away with the folder, and its processes end when their master is gone.
        let _ = self.master.kill();
        let _ = self.master.wait();
    }
}

fn program() -> Result<PathBuf> {
    let named = std::env::var_os("DOVECOT").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]).map(|dir| dir.join("dovecot"));
    named.into_iter().chain(found).find(|program| program.is_file()).context("there is no dovecot: run tests/mailserver")
}

/// What `id` says of an account, or of ours.
fn number(what: &str, account: Option<&str>) -> Result<u32> {
    let out = Command::new("id").arg(what).args(account).output()?;
    String::from_utf8(out.stdout)?.trim().parse().with_context(|| format!("there is no account {}", account.unwrap_or("of ours")))
}

fn configuration(program: &Path, dir: &Path, port: u16, tls: Option<(&Certificate, u16)>, owner: Option<(u32, u32)>) -> Result<String> {
    let version = String::from_utf8(Command::new(program).arg("--version").output()?.stdout)?;
    let is_new = !version.starts_with("2.3") && !version.starts_with("2.2");
    let dir = dir.display();
    let (uid, gid) = match owner {
        Some(owner) => owner,
        None => (number("-u", None)?, number("-g", None)?),
    };
    let (ssl, tls_port) = tls.map_or(("no", 0), |(_, port)| ("yes", port));
    let mut text = String::new();
    if is_new {
        writeln!(text, "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0")?;
    }
    let us = String::from_utf8(Command::new("id").arg("-un").output()?.stdout)?;
    let group = String::from_utf8(Command::new("id").arg("-gn").output()?.stdout)?;
    let (login, internal, group) = if owner.is_some() { ("dovenull", "dovecot", "dovecot") } else { (us.trim(), us.trim(), group.trim()) };
    writeln!(
        text,
        "protocols = imap
base_dir = {dir}/run
state_dir = {dir}/run
log_path = {dir}/log
listen = 127.0.0.1
ssl = {ssl}
default_login_user = {login}
default_internal_user = {internal}
default_internal_group = {group}
mail_max_userip_connections = 100
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = {ssl}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}"
    )?;
    if let Some((Certificate { certificate, key }, _)) = tls {
        let (certificate, key) = (certificate.display(), key.display());
        if is_new {
            writeln!(text, "ssl_server_cert_file = {certificate}\nssl_server_key_file = {key}")?;
        } else {
            writeln!(text, "ssl_cert = <{certificate}\nssl_key = <{key}")?;
        }
    }
    if is_new {
        writeln!(
            text,
            "auth_allow_cleartext = yes
mail_driver = maildir
mail_path = {dir}/mail/%{{user}}
passdb static {{
  passdb_static_password = {PASSWORD}
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {dir}/mail/%{{user}}
  }}
}}"
        )?;
    } else {
        writeln!(
            text,
            "disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:{dir}/mail/%u
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/mail/%u
}}"
        )?;
    }
    Ok(text)
}
