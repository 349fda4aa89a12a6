//! Waiting for what can only be looked at, such as a row, an answer or a process.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// How long a test waits before it says that something never came. It costs only where something is wrong.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// Between two looks: short beside what is waited for, long enough that looking does not keep it from happening.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks until there is something. `Err` of a look is what is there instead, and is said if it stays so.
pub async fn found<T, S: Debug>(what: &str, mut look: impl AsyncFnMut() -> Result<Result<T, S>>) -> Result<T> {
    let begun = Instant::now();
    loop {
        match look().await? {
            Ok(found) => return Ok(found),
            Err(instead) if begun.elapsed() > PATIENCE => bail!("{what}: waited for in vain; there is {instead:#?}"),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Looks until it is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    found(what, async || Ok(if is_so().await? { Ok(()) } else { Err(false) })).await
}
