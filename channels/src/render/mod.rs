//! What people see of patches and plans, for each kind of surface. Pure.

pub mod escape;
