//! A place among siblings, so that a move writes one row whatever the number of siblings.
//!
//! A rank is a number written so that comparing its bytes, as `bytea` does, compares the numbers: one byte for the
//! sign and the length of the whole part, the whole part, and a fraction without trailing zeros. Appending and prepending
//! count the whole part on, so that 256 of them take two bytes and 65,536 three; between two neighbours the fraction
//! is halved, a byte for eight times at the same place.
//! After <https://observablehq.com/@dgreensp/implementing-fractional-indexing>, in bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place among siblings. Siblings have different ones, and there is always room between two.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct Rank(Vec<u8>);

impl TryFrom<Vec<u8>> for Rank {
    type Error = NoRank;
    fn try_from(bytes: Vec<u8>) -> Result<Self, NoRank> {
        Self::from_bytes(bytes)
    }
}

impl From<Rank> for Vec<u8> {
    fn from(rank: Rank) -> Self {
        rank.0
    }
}

/// These bytes are no rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRank;

impl fmt::Display for NoRank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these bytes are not a rank")
    }
}

impl std::error::Error for NoRank {}

/// The first byte of whole parts from 0 that are one byte long. Each more is a byte longer; each less is negative.
const ZERO: u8 = 0x80;
/// The most bytes of a whole part.
const MAX_WHOLE: usize = 8;

impl Default for Rank {
    fn default() -> Self {
        Self(vec![ZERO, 0])
    }
}

impl Rank {
    /// Reads what [`Rank::as_bytes`] gave.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, NoRank> {
        let length = whole_length(*bytes.first().ok_or(NoRank)?).ok_or(NoRank)?;
        let fraction = bytes.get(length..).ok_or(NoRank)?;
        // Below the least whole part there is nothing, so that it never stands alone.
        let is_least = fraction.is_empty() && before_whole(&bytes).is_none();
        if fraction.last() == Some(&0) || is_least { Err(NoRank) } else { Ok(Self(bytes)) }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A rank after one and before another; `None` is no bound. There is none where they are not in order.
    pub fn between(before: Option<&Self>, after: Option<&Self>) -> Option<Self> {
        let bytes = match (before, after) {
            (None, None) => Self::default().0,
            (Some(before), None) => {
                let (whole, fraction) = before.split();
                after_whole(whole).unwrap_or_else(|| join(whole, fraction, None))
            }
            (None, Some(after)) => {
                let (whole, fraction) = after.split();
                match before_whole(whole) {
                    None => join(whole, &[], Some(fraction)),
                    Some(_) if !fraction.is_empty() => whole.to_vec(),
                    // The least whole part is only for those with a fraction.
                    Some(less) if before_whole(&less).is_none() => join(&less, &[], None),
                    Some(less) => less,
                }
            }
            (Some(before), Some(after)) if before < after => {
                let ((whole, fraction), (whole_after, fraction_after)) = (before.split(), after.split());
                if whole == whole_after {
                    join(whole, fraction, Some(fraction_after))
                } else {
                    after_whole(whole).filter(|more| more < &after.0).unwrap_or_else(|| join(whole, fraction, None))
                }
            }
            (Some(_), Some(_)) => return None,
        };
        Some(Self(bytes))
    }

    fn split(&self) -> (&[u8], &[u8]) {
        self.0.split_at(whole_length(self.0[0]).expect("a rank begins with the length of its whole part"))
    }
}

/// How many bytes a whole part takes, its first included.
fn whole_length(first: u8) -> Option<usize> {
    let length = usize::from(if first >= ZERO { first - ZERO } else { ZERO - 1 - first }) + 1;
    (length <= MAX_WHOLE).then_some(length + 1)
}

/// The whole part one greater.
fn after_whole(whole: &[u8]) -> Option<Vec<u8>> {
    let mut more = whole.to_vec();
    for digit in more[1..].iter_mut().rev() {
        *digit = digit.wrapping_add(1);
        if *digit != 0 {
            return Some(more);
        }
    }
    let first = whole[0] + 1;
    let mut more = vec![0; whole_length(first)?];
    more[0] = first;
    Some(more)
}

/// The whole part one less.
fn before_whole(whole: &[u8]) -> Option<Vec<u8>> {
    let mut less = whole[..whole_length(whole[0])?].to_vec();
    for digit in less[1..].iter_mut().rev() {
        *digit = digit.wrapping_sub(1);
        if *digit != u8::MAX {
            return Some(less);
        }
    }
    let first = whole[0] - 1;
    let mut less = vec![u8::MAX; whole_length(first)?];
    less[0] = first;
    Some(less)
}

/// A whole part with the fraction in the middle of two; `None` is 1.
fn join(whole: &[u8], low: &[u8], high: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let mut bound = high;
    for at in 0.. {
        let low = u16::from(low.get(at).copied().unwrap_or_default());
        let high = bound.map_or(256, |high| u16::from(high.get(at).copied().unwrap_or_default()));
        let middle = low.midpoint(high);
        bytes.push(u8::try_from(middle.min(255)).expect("at most 255"));
        if middle > low {
            break;
        }
        // Smaller in this digit: then the rest is free.
        if low < high {
            bound = None;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::Index};

    use super::*;

    fn between(before: Option<&Rank>, after: Option<&Rank>) -> Rank {
        let rank = Rank::between(before, after).expect("they are in order");
        assert!(before.is_none_or(|before| before < &rank), "{rank:?} comes after {before:?}");
        assert!(after.is_none_or(|after| &rank < after), "{rank:?} comes before {after:?}");
        assert_eq!(Rank::from_bytes(rank.as_bytes().to_vec()).as_ref(), Ok(&rank), "it can be read again");
        rank
    }

    /// Puts `count` ranks beside each other, each next to the one before, and tells how long the longest is.
    fn longest(count: usize, next: impl Fn(&Rank) -> Rank) -> usize {
        let mut rank = Rank::default();
        let mut longest = 0;
        for _ in 0..count {
            rank = next(&rank);
            longest = longest.max(rank.as_bytes().len());
        }
        longest
    }

    #[test]
    fn appending_and_prepending_stay_short() {
        for next in [|rank: &Rank| between(Some(rank), None), |rank: &Rank| between(None, Some(rank))] {
            assert_eq!(longest(255, next), 2);
            assert_eq!(longest(65_000, next), 3);
        }
    }

    #[test]
    fn the_same_place_takes_a_byte_for_eight() {
        let (first, last) = (Rank::default(), between(Some(&Rank::default()), None));
        let mut low = first.clone();
        let mut high = last.clone();
        for _ in 0..800 {
            low = between(Some(&low), Some(&last));
            high = between(Some(&first), Some(&high));
        }
        assert!(low.as_bytes().len() <= 2 + 101, "{}", low.as_bytes().len());
        assert!(high.as_bytes().len() <= 2 + 101, "{}", high.as_bytes().len());
    }

    #[test]
    fn there_is_room_at_both_ends_of_what_can_be_written() {
        let mut last = Rank::from_bytes(vec![ZERO + 7, 255, 255, 255, 255, 255, 255, 255, 255]).expect("the greatest whole part");
        let mut first = Rank::from_bytes(vec![ZERO - 8, 0, 0, 0, 0, 0, 0, 0, 1]).expect("the second least whole part");
        for _ in 0..20 {
            last = between(Some(&last), None);
            first = between(None, Some(&first));
        }
    }

    #[test]
    fn other_bytes_are_no_rank() {
        for bytes in [&[][..], &[ZERO], &[ZERO, 1, 0], &[ZERO + 1, 1], &[ZERO + 8, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[ZERO - 8, 0, 0, 0, 0, 0, 0, 0, 0]] {
            assert_eq!(Rank::from_bytes(bytes.to_vec()), Err(NoRank), "{bytes:?}");
        }
    }

    #[test]
    fn there_is_nothing_between_a_rank_and_itself() {
        let rank = Rank::default();
        assert_eq!(Rank::between(Some(&rank), Some(&rank)), None);
    }

    proptest! {
        /// Wherever one is put, it is where it was put, and all others stay where they were.
        #[test]
        fn there_is_always_room(places in prop::collection::vec(prop_oneof![Just(Place::First), Just(Place::Last), any::<Index>().prop_map(Place::At)], 1..400)) {
            let mut ranks: Vec<Rank> = Vec::new();
            for place in places {
                let at = match place {
                    Place::First => 0,
                    Place::Last => ranks.len(),
                    Place::At(index) => index.index(ranks.len() + 1),
                };
                let rank = between(at.checked_sub(1).map(|at| &ranks[at]), ranks.get(at));
                ranks.insert(at, rank);
            }
            prop_assert!(ranks.is_sorted_by(|a, b| a < b));
        }

        #[test]
        fn bytes_that_are_ranks_have_room_around(mut bytes in prop::collection::vec(prop::collection::vec(prop_oneof![Just(0), Just(1), Just(127), Just(128), Just(255), any::<u8>()], 1..14), 2)) {
            bytes.sort();
            let ranks: Vec<_> = bytes.into_iter().filter_map(|bytes| Rank::from_bytes(bytes).ok()).collect();
            for rank in &ranks {
                between(Some(rank), None);
                between(None, Some(rank));
            }
            if let [low, high] = ranks.as_slice() && low < high {
                between(Some(low), Some(high));
            }
        }
    }

    #[derive(Clone, Debug)]
    enum Place {
        First,
        Last,
        At(Index),
    }
}
