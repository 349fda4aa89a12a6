//! A name server that knows what a test told it: TXT records over UDP (RFC 1035).

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use tokio::{net::UdpSocket, task::JoinHandle};

/// The running server.
pub struct Dns {
    pub address: SocketAddr,
    records: Arc<Mutex<HashMap<String, String>>>,
    serving: JoinHandle<()>,
}

impl Dns {
    pub async fn start() -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let address = socket.local_addr()?;
        let records: Arc<Mutex<HashMap<String, String>>> = Arc::default();
        let known = records.clone();
        let serving = tokio::spawn(async move {
            let mut packet = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut packet).await {
                let found = answer(&packet[..length], |name| known.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned());
                if let Some(answer) = found {
                    // Whoever asks has left, or asks again.
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
        Ok(Self { address, records, serving })
    }

    /// Publishes a record. The name has no dot at its end.
    pub fn txt(&self, name: &str, value: &str) {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_lowercase(), value.to_owned());
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

const TXT: u16 = 16;
const NO_SUCH_NAME: u8 = 3;

fn answer(query: &[u8], find: impl Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    let mut at = 12;
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(query.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes(query.get(at..at + 2)?.try_into().ok()?);
    let question = query.get(12..at + 4)?;
    let found = find(&labels.join("."));
    let record = found.as_deref().filter(|_| kind == TXT);
    let mut answer = query.get(..2)?.to_vec();
    // An authoritative answer; recursion is there.
    answer.extend([0x85, 0x80 | if found.is_some() { 0 } else { NO_SUCH_NAME }]);
    for count in [1, u16::from(record.is_some()), 0, 0] {
        answer.extend(count.to_be_bytes());
    }
    answer.extend(question);
    if let Some(value) = record {
        let data: Vec<u8> = value
            .as_bytes()
            .chunks(255)
            .flat_map(|chunk| std::iter::once(u8::try_from(chunk.len()).unwrap_or_default()).chain(chunk.iter().copied()))
            .collect();
        // The name of the question; of the Internet; for a minute.
        answer.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60]);
        answer.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
        answer.extend(data);
    }
    Some(answer)
}
