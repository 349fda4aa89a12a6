//! Who may import whom, as docs/architecture.md draws it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests stand below the root").to_owned()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("a source can be read")
}

#[test]
fn core_knows_nobody_agent_knows_core_channels_know_both_and_web_wires_all() {
    let rules: [(&str, &[&str], &str); 4] = [
        ("core", &["patchbay-agent", "patchbay-channels", "patchbay-web", "axum", "reqwest", "async-openai"], "core knows no HTTP, no channel and no model"),
        ("agent", &["patchbay-channels", "patchbay-web", "sqlx", "axum"], "agent reads what it is given: no SQL, no channel"),
        ("channels", &["patchbay-web", "axum"], "channels know nothing of the HTTP of the console"),
        ("web", &["patchbay-tests"], "web is not made of tests"),
    ];
    for (package, forbidden, sentence) in rules {
        let manifest = read(&root().join(package).join("Cargo.toml"));
        let manifest = manifest.split("[dev-dependencies]").next().unwrap_or_default();
        for name in forbidden {
            assert!(!manifest.lines().any(|line| line.starts_with(name)), "{package} depends on {name}: {sentence}");
        }
    }
}

#[test]
fn sql_stands_in_the_stores_alone() {
    let allowed = ["store.rs", "part.rs", "tree.rs", "migrate.rs", "access.rs", "mod.rs"];
    for path in ["core", "agent", "channels", "web"].iter().flat_map(|package| sources(&root().join(package).join("src"))) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let in_database = path.components().any(|part| part.as_os_str() == "db");
        if allowed.contains(&name.as_str()) || in_database {
            continue;
        }
        let text = read(&path);
        assert!(!text.contains("sqlx::query"), "{} has SQL of its own: it belongs into the subject's store.rs", path.display());
    }
}

#[test]
fn the_patch_imports_nothing_of_ours_and_subjects_stand_in_no_circle() {
    let core = root().join("core/src");
    let subjects: BTreeSet<String> = fs::read_dir(&core)
        .expect("core is there")
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for subject in &subjects {
        for path in sources(&core.join(subject)) {
            let text = read(&path);
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            for other in subjects.iter().filter(|other| *other != subject) {
                let direct = text.contains(&format!("crate::{other}::")) || text.contains(&format!("use crate::{other}"));
                let listed = text.split("use crate::{").skip(1).any(|list| {
                    list.split("};").next().unwrap_or_default().lines().any(|line| {
                        let line = line.trim();
                        line.starts_with(&format!("{other}::")) || line.starts_with(&format!("{other},")) || line == other
                    })
                });
                if direct || listed {
                    uses.entry(subject.clone()).or_default().insert(other.clone());
                }
            }
        }
    }
    assert_eq!(uses.get("patch"), None, "patch imports nothing of ours");
    for subject in &subjects {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&String> = uses.get(subject).into_iter().flatten().collect();
        while let Some(next) = open.pop() {
            assert_ne!(next, subject, "{subject} stands in a circle of imports: {uses:?}");
            if seen.insert(next) {
                open.extend(uses.get(next).into_iter().flatten());
            }
        }
    }
}
