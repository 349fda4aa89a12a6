//! Files of anybody: nothing in them is lost, whatever they are.

#![no_main]

use libfuzzer_sys::fuzz_target;
use patchbay_core::exchange;

fuzz_target!(|file: (bool, &str)| {
    let (is_yaml, text) = file;
    let document = exchange::read(if is_yaml { "backlog.yaml" } else { "TODO.md" }, text);
    let mut kept = String::new();
    for item in &document.items {
        kept.push_str(&item.before);
        kept.push_str(&item.text);
    }
    kept.push_str(&document.after);
    assert!(document.items.is_empty() || kept == text, "its bytes are all there, in their order");
});
