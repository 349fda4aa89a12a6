//! A text that was pasted: what is read from it is what its rendering says.

#![no_main]

use libfuzzer_sys::fuzz_target;
use patchbay_channels::render::text;

fuzz_target!(|pasted: &str| {
    if let Ok(patch) = text::parse(pasted) {
        assert_eq!(text::parse(&text::render(&patch)), Ok(patch));
    }
});
