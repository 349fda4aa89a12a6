//! Who did what, for those who answer for it. Rows are only ever added.

pub mod store;
