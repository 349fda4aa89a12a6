//! From the clock on the wall to instants, across clock changes.

use chrono::{DateTime, Datelike, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// No zone changes its clock twice within so many days and is back at the offset it had.
const STRIDE: TimeDelta = TimeDelta::days(14);

/// The instant at which a clock on the wall shows a time: the first of two, and where it is skipped the first instant after the gap.
/// `None` beyond the years that are written with four digits.
pub(super) fn instant(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Utc>> {
    if !is_near(local) {
        return None;
    }
    if let Some(at) = zone.from_local_datetime(&local).earliest() {
        return Some(at.with_timezone(&Utc));
    }
    // No gap is longer than a day: between these the clock goes past the time once.
    let (mut before, mut after) = (local.and_utc().checked_sub_signed(TimeDelta::days(2))?, local.and_utc().checked_add_signed(TimeDelta::days(2))?);
    while after - before > TimeDelta::seconds(1) {
        let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
        if middle.with_timezone(&zone).naive_local() < local { before = middle } else { after = middle }
    }
    Some(after)
}

/// Whether a time is so near that no sum with it overflows.
pub(super) fn is_near(local: NaiveDateTime) -> bool {
    (1..=9998).contains(&local.year())
}

/// Times of the clock as instants after one, each once.
pub(super) fn on_the_clock<I: Iterator<Item = NaiveDateTime>>(
    zone: Tz,
    after: DateTime<Utc>,
    times: impl FnOnce(NaiveDateTime, bool) -> I,
) -> impl Iterator<Item = DateTime<Utc>> {
    let mut last = after;
    times(after.with_timezone(&zone).naive_local(), false).filter_map(move |local| {
        let at = instant(zone, local).filter(|at| *at > last)?;
        last = at;
        Some(at)
    })
}

/// What goes on all the time: wherever the clock shows a time, as often as it does.
pub(super) fn steady<I: Iterator<Item = NaiveDateTime>>(
    zone: Tz,
    after: DateTime<Utc>,
    times: impl Fn(NaiveDateTime, bool) -> I,
) -> impl Iterator<Item = DateTime<Utc>> {
    let offset_at = move |at: DateTime<Utc>| TimeDelta::seconds(zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc().into());
    let mut at = after;
    let mut offset = offset_at(at);
    let mut ahead = times(at.naive_utc() + offset, false).peekable();
    std::iter::from_fn(move || {
        loop {
            let next = ahead.peek()?.checked_sub_signed(offset)?.and_utc();
            let horizon = next.min(at + STRIDE);
            if offset_at(horizon) != offset {
                // The clock changes on the way: from then on it is another clock.
                let mut late = horizon;
                while late - at > TimeDelta::seconds(1) {
                    let middle = at + TimeDelta::seconds((late - at).num_seconds() / 2);
                    if offset_at(middle) == offset { at = middle } else { late = middle }
                }
                (at, offset) = (late, offset_at(late));
                ahead = times(at.naive_utc() + offset, true).peekable();
            } else if horizon == next {
                ahead.next();
                at = next;
                return Some(next);
            } else {
                at = horizon;
            }
        }
    })
}
