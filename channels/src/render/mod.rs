//! What people see of patches and plans, for each kind of surface. Pure.

pub mod escape;

use patchbay_core::patch::diff::Diff;
pub fn text(_: &Diff) -> String {
    String::new()
}
pub fn markdown(_: &Diff) -> String {
    String::new()
}
pub fn html(_: &Diff) -> String {
    String::new()
}
pub fn terminal(_: &Diff, _: bool, _: usize) -> String {
    String::new()
}
pub fn plain(text: &str) -> String {
    text.to_owned()
}
