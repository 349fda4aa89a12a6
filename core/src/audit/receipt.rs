//! What people keep of the chain, so that it cannot be made anew behind their backs.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many entries the chain had, and the begin of its head: `1042-3f9a2c41d0e87b5511aa8f64be02c7d9`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Receipt {
    pub entries: i64,
    /// 32 hexadecimal digits.
    head: String,
}

/// As much of a head as nobody finds a second trail for.
const DIGITS: usize = 32;

impl Receipt {
    pub(super) fn new(entries: i64, head: &[u8]) -> Self {
        // A head that was damaged to be no hash fits no receipt.
        let head = blake3::Hash::from_slice(head).map(|head| head.to_hex()[..DIGITS].to_owned()).unwrap_or_default();
        Self { entries, head }
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.entries, self.head)
    }
}

impl From<Receipt> for String {
    fn from(receipt: Receipt) -> Self {
        receipt.to_string()
    }
}

/// Why a text is no receipt.
#[derive(Debug, thiserror::Error)]
#[error("a receipt is a number, a hyphen and {DIGITS} hexadecimal digits")]
pub struct NoReceipt;

impl FromStr for Receipt {
    type Err = NoReceipt;

    fn from_str(text: &str) -> Result<Self, NoReceipt> {
        let (entries, head) = text.trim().split_once('-').ok_or(NoReceipt)?;
        let entries = entries.parse().ok().filter(|entries| *entries > 0).ok_or(NoReceipt)?;
        let is_head = head.len() == DIGITS && head.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_head.then(|| Self { entries, head: head.to_ascii_lowercase() }).ok_or(NoReceipt)
    }
}

impl TryFrom<String> for Receipt {
    type Error = NoReceipt;

    fn try_from(text: String) -> Result<Self, NoReceipt> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_read_as_it_is_written() {
        let receipt = Receipt::new(1042, &[0xab; 32]);
        let text = receipt.to_string();
        assert_eq!(text, format!("1042-{}", "ab".repeat(16)));
        assert_eq!(text.to_uppercase().parse::<Receipt>().unwrap(), receipt);
        for wrong in ["", "1042", "1042-ab", "0-abababababababababababababababab", "x-abababababababababababababababab", "1-zbababababababababababababababab"] {
            assert!(wrong.parse::<Receipt>().is_err(), "{wrong}");
        }
    }
}
