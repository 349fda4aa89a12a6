//! When a try that failed is tried again.

use std::time::Duration;

/// Exponential backoff with jitter.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// After the first failure, about.
    pub first: Duration,
    pub longest: Duration,
}

impl Retry {
    /// How long to wait after a try, counted from 1: twice as long each time, and between half and all of that by `draw` (0 to 1), so
    /// that what failed together does not come again together.
    pub fn after(&self, attempt: i16, draw: f64) -> Duration {
        let doublings = u32::from(attempt.max(1).unsigned_abs() - 1).min(31);
        let whole = self.first.saturating_mul(1 << doublings).min(self.longest);
        whole.mul_f64(0.5 + draw.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let retry = Retry { first: Duration::from_secs(2), longest: Duration::from_mins(1) };
        let waits: Vec<_> = [1, 2, 3, 4, 5, 6, 40].into_iter().map(|attempt| retry.after(attempt, 1.0).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(retry.after(1, 0.0), Duration::from_secs(1));
    }
}
