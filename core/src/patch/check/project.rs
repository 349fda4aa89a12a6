//! The project's own fields.

use super::{
    super::{Fault, MetaUpdates, fault::either, id::is_key, process::Process},
    Checker, MAX_TITLE,
    fields::{MAX_TEXT, unfit},
};

impl Checker<'_> {
    pub(super) fn project(&mut self) {
        let is_new = self.plan.project.version == 0;
        if let Some(note) = &self.flat.patch.note {
            self.project_text("/note", note, MAX_TEXT);
        }
        match &self.flat.patch.meta_updates {
            Some(meta) => self.meta(meta, is_new),
            None if is_new && !self.rules.history => self.no_title(),
            None => {}
        }
    }

    fn no_title(&mut self) {
        self.whole_fault(Fault::new("/meta_updates/title", "a project needs a title").expected(format!("1–{MAX_TITLE} characters")));
    }

    fn meta(&mut self, meta: &MetaUpdates, is_new: bool) {
        match meta.title.as_deref() {
            None if !is_new => {}
            None | Some("") => self.no_title(),
            Some(title) => self.project_text("/meta_updates/title", title, MAX_TITLE),
        }
        if let Some(summary) = &meta.summary {
            self.project_text("/meta_updates/summary", summary, MAX_TEXT);
        }
        for (field, given) in [("key", meta.key.is_some()), ("process", meta.process.is_some())] {
            if given && !is_new {
                self.whole_fault(Fault::new(format!("/meta_updates/{field}"), format!("the {field} of a project never changes")).fix("leave it out"));
            }
        }
        if let Some(key) = meta.key.as_ref().filter(|_| is_new)
            && !is_key(key)
        {
            self.whole_fault(
                Fault::new("/meta_updates/key", "this cannot be a project's key")
                    .found(key.clone())
                    .expected("1–10 capital letters and digits, a letter first, such as WEB"),
            );
        }
        if let Some(name) = meta.process.as_ref().filter(|_| is_new)
            && Process::find(name).is_none()
        {
            let known = either(Process::builtin().iter().map(|process| &process.name));
            self.whole_fault(Fault::new("/meta_updates/process", "there is no such process").found(name.clone()).expected(known));
        }
        if let Some(zone) = &meta.time_zone
            && zone.parse::<chrono_tz::Tz>().is_err()
        {
            self.whole_fault(
                Fault::new("/meta_updates/time_zone", "there is no such time zone").found(zone.clone()).expected("an IANA name such as Europe/Berlin"),
            );
        }
    }

    fn project_text(&mut self, path: &str, text: &str, limit: usize) {
        if let Some(fault) = unfit(text, limit) {
            self.whole_fault(Fault { path: path.to_owned(), ..fault });
        }
    }
}
