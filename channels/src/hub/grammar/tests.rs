use super::*;

/// How the tables below write what a line is: the command as its debug text, `Mistake` with its corrections, or `Free`.
fn shown(text: &str) -> String {
    match parse(text, &["WEB", "LAUNCH"]) {
        Parsed::Command(command) => format!("{command:?}"),
        Parsed::Several(lines) => lines.iter().map(|line| format!("{} {}", line.number, kind(&line.text))).collect::<Vec<_>>().join(", "),
        Parsed::Mistake(mistake) => format!("Mistake at {:?}: {} -> {}", &text[mistake.at.clone()], mistake.message, mistake.suggestions.join(" | ")),
        Parsed::Free => "Free".to_owned(),
    }
}

/// The name of what a line is, for tables where that is enough.
fn kind(text: &str) -> String {
    let shown = shown(text);
    shown.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

#[test]
fn every_example_is_a_command() {
    for entry in TABLE {
        for example in entry.examples {
            assert!(matches!(parse(example, &[]), Parsed::Command(_)), "{example}: {}", shown(example));
            assert!(example.starts_with(entry.name), "{example}");
        }
        assert!(entry.form.starts_with(entry.name), "{}", entry.form);
    }
}

#[test]
fn no_two_commands_share_a_word() {
    let mut words: Vec<_> = TABLE.iter().flat_map(Entry::words).collect();
    let count = words.len();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), count);
}

const FREE: &[&str] = &[
    "",
    "   ",
    "Build a new sign-in flow. We need the schema, the form, password reset by mail, and tests.",
    "combine the first two, and add documentation after the tests",
    "add documentation after the tests and combine the first two",
    "add documentation",
    "add a task for docs after testing",
    "add \"Docs\" and \"Tests\"",
    "add \"Docs\" and combine the first two",
    "add \"Docs\" somewhere near the end",
    "Add tests for WEB-3",
    "add utf-8 support to the parser",
    "add WEB-3 to the release",
    "add three tasks under WEB-7",
    "move the login stuff somewhere else",
    "move everything under WEB-1 to the end",
    "move on",
    "move 2 after 4",
    "move WEB-3 so that it comes before the tests",
    "start with the schema, then do the form",
    "start with WEB-3",
    "start over",
    "start WEB-3 after WEB-2 is finished",
    "start WEB-3 and tell Bo",
    "start the sha-256 migration",
    "done with the first",
    "done WEB-4 and tell Bo",
    "done!! finally, now plan the next release",
    "mark WEB-3 and WEB-4 as done",
    "split 2 into design and build",
    "split WEB-7 into smaller pieces",
    "split WEB-7 into small, clear steps",
    "split the login task into three",
    "make 4 depend on 2",
    "rename the login task to SSO",
    "delete the second one",
    "delete everything that Bo did",
    "delete WEB-7 because we do not need it",
    "remove WEB-3 from the plan",
    "remove the tests",
    "set up a CI pipeline",
    "set the due date of WEB-7 to friday",
    "set everything to p1",
    "set WEB-7 aside for now",
    "set WEB-7 priority higher than that of WEB-3",
    "assign the tests to Bo",
    "assign WEB-3 to whoever did the login",
    "assign everything to me",
    "label everything as backend",
    "label WEB-7 as something that the backend team owns",
    "label the first two backend",
    "depend on nothing",
    "block out an hour for the review",
    "block WEB-3 and start WEB-4",
    "reopen the login task",
    "show me what is left",
    "show the tasks of Bo",
    "list the risks",
    "list everything that Bo should do",
    "list all risks",
    "list mine and Bo's",
    "plan a trip to Paris",
    "plan holiday",
    "plan the launch of our web shop",
    "plan web pages for the shop",
    "plan for the next two weeks",
    "new website with a shop and a blog",
    "new login",
    "review the design",
    "review everything that is open",
    "accept the first two",
    "accept all, but rename the first",
    "accept it, but not today",
    "accept that some things take longer",
    "accept cookies banner",
    "reject the second one",
    "reject 2",
    "edit the title of 2",
    "edit 2: call it SSO",
    "comment out the broken test",
    "comment every function",
    "withdraw from the contest",
    "undo the second change of yesterday",
    "redo the sign-in page in blue",
    "redo WEB-7 with better tests",
    "revert to the old design",
    "resolve the conflict between design and marketing",
    "rebase everything onto the new schema",
    "undo everything that Bo did",
    "revert to the old design",
    "history of the project should be visible",
    "history page",
    "diff viewer for proposals",
    "log in page needs SSO",
    "log in with Google",
    "log everything",
    "log 2 hours of calls somewhere",
    "help me plan a launch",
    "help the user find the button",
    "close the dialog on escape",
    "finish the migration before friday",
    "complete the docs",
    "apply the new colours everywhere",
    "view transitions for the console",
    "begin with research",
    "more",
    "none",
    "one",
    "yes",
    "no",
    "ok",
    "gone",
    "lost WEB-3 in the merge",
    "now",
    "listen to webhooks",
    "stop the presses",
    "cancel the trip",
    "pause the project for a week",
    "resume work on the form",
    "retry with other words",
    "run the tests",
    "run a marathon in spring",
    "jobs for the weekend",
    "list the risks in WEB",
    "show API docs",
    "assign WEB-3 to Bo tomorrow",
    "1",
    "#12",
    "WEB-3",
    "WEB-3 is done",
    "web-3: add tests",
    "- schema\n- form\n- tests",
    "1. schema\n2. form",
    "Hello\ndone WEB-4\ndone WEB-3",
    "mark WEB-3 as done\nmove WEB-4 under WEB-1",
    "Review\n- the schema\n- the form",
    "add \"Sign-in\"\n- the schema\n- the form",
    "list\nwhat is left\nand who does it",
    "/etc/hosts is wrong",
    "what can you do?",
    "done WEB-4?",
    "Ünïcode plän mit Größe",
    "日本語のタスク",
    "'",
    "...",
    ", ; :",
];

#[test]
fn free_text_stays_free() {
    for text in FREE {
        assert_eq!(shown(text), "Free", "{text}");
    }
}

const COMMANDS: &[(&str, &str)] = &[
    ("new \"Sign-in flow\"", "New"),
    ("NEW “Sign-in flow”: with tests", "New"),
    ("new \"Sign-in\"\n- schema\n- form", "New"),
    ("plan WEB", "Plan"),
    ("plan web", "Plan"),
    ("plan web-7", "Plan"),
    ("plan WEB-7 with a test for each step", "Plan"),
    ("show", "Show"),
    ("show web", "Show"),
    ("Show WEB-7.", "Show"),
    ("show me WEB-7 please", "Show"),
    ("agents", "Agents"),
    ("lease", "Lease"),
    ("lease web-7 for 2h", "Lease"),
    ("lease take WEB-7", "Lease"),
    ("lease release WEB-7 because I am done", "Lease"),
    ("lease steal WEB-7: it hangs", "Lease"),
    ("show #12", "Show"),
    ("/show #12", "Show"),
    ("list", "List"),
    ("list mine due this week", "List"),
    ("list my open tasks in web", "List"),
    ("list all tasks", "List"),
    ("list due by friday, p1, @ana", "List"),
    ("list due in 3 days", "List"),
    ("ls overdue", "List"),
    ("list projects", "ListProjects"),
    ("list open proposals", "Review"),
    ("add \"Fix it\"", "Add"),
    ("add 'Ana's list' under web-7 due friday to @ana p1", "Add"),
    ("add \"Fix it\" due tomorrow 17:00, to me, label:web, label:ui, estimate 1.5 days", "Add"),
    ("add \"Fix it\" after WEB-2 needs WEB-3 and WEB-4", "Add"),
    ("please add \"Fix it\" in web", "Add"),
    ("done", "Step"),
    ("done web-4", "Step"),
    ("Done WEB-4!", "Step"),
    ("done with WEB-4, WEB-5 and WEB-6.", "Step"),
    ("done WEB-4 WEB-5", "Step"),
    ("done WEB-4: shipped", "Step"),
    ("done WEB-4 – shipped", "Step"),
    ("start WEB-3 because Bo is ill", "Step"),
    ("block WEB-3 the key is missing", "Step"),
    ("block WEB-3 by the bank", "Step"),
    ("reopen WEB-3", "Step"),
    ("unblock WEB-3", "Step"),
    ("set WEB-7 due friday", "Set"),
    ("set WEB-7 due date to 1 december", "Set"),
    ("set WEB-7 due none", "Set"),
    ("set WEB-7 title to \"Sign-in form\"", "Set"),
    ("set WEB-7 priority = high", "Set"),
    ("set WEB-7 effort m", "Set"),
    ("set WEB-7 and WEB-8 assignee ana", "Set"),
    ("set WEB-7 labels backend, urgent", "Set"),
    ("set WEB zone Europe/Berlin", "SetProject"),
    ("move WEB-7 under WEB-3", "Move"),
    ("move web-7, web-8 before web-3", "Move"),
    ("move WEB-7 to the end", "Move"),
    ("move WEB-7 under WEB", "Move"),
    ("split WEB-7 into a; b; c", "Split"),
    ("split WEB-7 into \"a\", \"b\" and \"c\"", "Split"),
    ("delete WEB-7", "Delete"),
    ("delete WEB-7 but keep its subtasks", "Delete"),
    ("assign WEB-7 to @Ana", "Assign"),
    ("assign WEB-7 ana", "Assign"),
    ("assign @ana to WEB-7 and WEB-8", "Assign"),
    ("assign WEB-7 to nobody", "Assign"),
    ("unassign WEB-7", "Assign"),
    ("label WEB-7 backend", "Label"),
    ("label WEB-7 as backend, +urgent -later", "Label"),
    ("depend WEB-7 on WEB-3, WEB-4", "Depend"),
    ("depend WEB-7 no longer on WEB-3", "Depend"),
    ("log 2h WEB-7 the form", "Log"),
    ("log 1h 30m on WEB-7: the form", "Log"),
    ("log WEB-7 90m", "Log"),
    ("log 2h", "Log"),
    ("review", "Review"),
    ("review #12", "Review"),
    ("accept", "Accept"),
    ("accept all", "Accept"),
    ("Accept #12", "Accept"),
    ("accept #12 [1,3-5]", "Accept"),
    ("accept 1 and 3", "Accept"),
    ("accept #12 all except 2, 4", "Accept"),
    ("approve #12", "Accept"),
    ("reject", "Reject"),
    ("reject #12 too much at once", "Reject"),
    ("reject: too much", "Reject"),
    ("edit #12 combine the first two", "Edit"),
    ("comment #12 who tests this?", "Comment"),
    ("comment on #12 [2]: later", "Comment"),
    ("accept 1 and 3, 2 should be friday instead", "Accept"),
    ("withdraw", "Withdraw"),
    ("withdraw #12", "Withdraw"),
    ("undo", "Undo"),
    ("undo that", "Undo"),
    ("undo 12", "Undo"),
    ("undo web 12", "Undo"),
    ("revert WEB version 12", "Revert"),
    ("revert 12", "Revert"),
    ("redo", "Redo"),
    ("redo WEB", "Redo"),
    ("rebase #12", "Rebase"),
    ("resolve #12 2 ours", "Resolve"),
    ("resolve 2 theirs", "Resolve"),
    ("settle #12 conflict 1: 2026-12-01", "Resolve"),
    ("show WEB @5", "Show"),
    ("history", "History"),
    ("history web-7", "History"),
    ("diff WEB 3..9", "Diff"),
    ("diff web 11..", "Diff"),
    ("diff 3-9", "Diff"),
    ("diff #12", "Review"),
    ("jobs", "Jobs"),
    ("jobs running", "Jobs"),
    ("jobs 3f2a91c4", "Jobs"),
    ("retry 3F2A91C4", "Jobs"),
    ("stop job 3f2a91c4", "Jobs"),
    ("cancel 0199c1d2-3f4a-7b5c-8d6e-0a1b3f2a91c4", "Jobs"),
    ("run", "Jobs"),
    ("run release-notes", "Jobs"),
    ("pause 3", "Schedule"),
    ("resume schedule 3", "Schedule"),
    ("help?", "Help"),
    ("help", "Help"),
    ("?", "Help"),
    ("help move", "Help"),
    ("/help", "Help"),
];

#[test]
fn commands_are_read_whole() {
    for (text, name) in COMMANDS {
        assert_eq!(kind(text), *name, "{text}: {}", shown(text));
    }
}

#[test]
fn arguments_are_what_was_written() {
    for (text, expected) in [
        (
            "add 'Ana's list' under web-7 due next friday to @Ana p1",
            "Add(Add { title: \"Ana's list\", project: None, place: Some(Under(Task(Reference { key: \"WEB\", number: 7 }))), \
             due: Some(DatePhrase(\"next friday\")), assignee: Some(Handle(\"ana\")), priority: Some(P1), labels: [], depends_on: [], estimate_minutes: None })",
        ),
        ("list mine due this week in web", "List { filters: [Mine, Due(ThisWeek)], project: Some(\"WEB\") }"),
        ("list due by 1 december, label:ui", "List { filters: [Due(By(DatePhrase(\"1 december\"))), Label(\"ui\")], project: None }"),
        ("accept #12 [1, 3-5]", "Accept { proposal: Some(12), operations: Only({1, 3, 4, 5}), rest: None }"),
        ("accept all but 2 and 4–6", "Accept { proposal: None, operations: Except({2, 4, 5, 6}), rest: None }"),
        ("block WEB-3: waits for the bank.", "Step { verb: Block, tasks: [Reference { key: \"WEB\", number: 3 }], why: Some(\"waits for the bank.\") }"),
        ("split WEB-7 into design; build\ntest", "Split { task: Reference { key: \"WEB\", number: 7 }, into: [\"design\", \"build\", \"test\"] }"),
        ("set WEB-7 title Fix the \"big\" one", "Set { tasks: [Reference { key: \"WEB\", number: 7 }], setting: Title(\"Fix the \\\"big\\\" one\") }"),
        ("set WEB-7 estimate 1.5 days", "Set { tasks: [Reference { key: \"WEB\", number: 7 }], setting: Estimate(Some(720)) }"),
        ("label WEB-7 backend, -later", "Label { tasks: [Reference { key: \"WEB\", number: 7 }], add: [\"backend\"], remove: [\"later\"] }"),
        ("log 1h 30m on WEB-7: the form", "Log { minutes: 90, task: Some(Reference { key: \"WEB\", number: 7 }), note: Some(\"the form\") }"),
        ("comment #12 [2] this one can wait", "Comment { proposal: 12, operation: Some(2), text: \"this one can wait\" }"),
        ("diff LAUNCH 11..", "Diff { project: Some(\"LAUNCH\"), from: 11, to: None }"),
        ("diff WEB 9", "Diff { project: Some(\"WEB\"), from: 8, to: Some(9) }"),
        ("new \"Sign-in\"\n- schema\n- form", "New { title: \"Sign-in\", goal: Some(\"- schema\\n- form\") }"),
        ("help finish", "Help(Some(\"done\"))"),
        ("help /done", "Help(Some(\"done\"))"),
        ("pause 3", "Schedule(Pause(3))"),
        ("jobs failed", "Jobs(List(Some(Dead)))"),
        ("cancel 3F2A91C4", "Jobs(Stop(\"3f2a91c4\"))"),
        (
            "run call url=https://example.org/?a=b&c=(1), count=3 title=\"The release\"",
            "Jobs(Run { preset: Some(\"call\"), given: [(\"url\", \"https://example.org/?a=b&c=(1)\"), (\"count\", \"3\"), (\"title\", \"The release\")] })",
        ),
        ("accept 1 and 3, 2 should be friday instead", "Accept { proposal: None, operations: Only({1, 3}), rest: Some(\"2 should be friday instead\") }"),
        ("accept #16 1, 3; and 2 is p1, and 4 too", "Accept { proposal: Some(16), operations: Only({1, 3}), rest: Some(\"2 is p1, and 4 too\") }"),
        ("accept 1, 3, 2 should be friday", "Accept { proposal: None, operations: Only({1, 3}), rest: Some(\"2 should be friday\") }"),
        ("accept 1 and 3\n2 should be friday\n\nDee", "Accept { proposal: None, operations: Only({1, 3}), rest: Some(\"2 should be friday\") }"),
        ("accept #12, but 2 should be friday", "Accept { proposal: Some(12), operations: Except({2}), rest: Some(\"2 should be friday\") }"),
        ("accept all but 2, which should be friday", "Accept { proposal: None, operations: Except({2}), rest: Some(\"2 should be friday\") }"),
        ("accept 1 and 3\n\nDee", "Accept { proposal: None, operations: Only({1, 3}), rest: None }"),
        ("accept 1 and 3\n\n2 is p1", "Accept { proposal: None, operations: Only({1, 3}), rest: Some(\"2 is p1\") }"),
        ("accept 1, but not 2", "Accept { proposal: None, operations: Only({1}), rest: None }"),
        ("accept 1 and 3, thanks", "Accept { proposal: None, operations: Only({1, 3}), rest: None }"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn a_mistake_points_at_the_word_and_offers_the_line() {
    for (text, expected) in [
        ("moev WEB-3 under WEB-1", "Mistake at \"moev\": I know no \"moev\". -> move WEB-3 under WEB-1"),
        ("/moev WEB-3 under WEB-1", "Mistake at \"moev\": I know no \"moev\". -> move WEB-3 under WEB-1"),
        ("move WEB-3 udner WEB-1", "Mistake at \"udner\": I know no \"udner\". -> move WEB-3 under WEB-1"),
        ("moev WEB-3 udner WEB-1", "Mistake at \"moev\": I know no \"moev\". -> move WEB-3 under WEB-1"),
        ("moved WEB-3 under WEB-1", "Mistake at \"moved\": I know no \"moved\". -> move WEB-3 under WEB-1"),
        ("don WEB-4", "Mistake at \"don\": I know no \"don\". -> done WEB-4"),
        ("done WEB4", "Mistake at \"WEB4\": I know no \"WEB4\". -> done WEB-4"),
        ("lsit mine", "Mistake at \"lsit\": I know no \"lsit\". -> list mine"),
        ("list mien", "Mistake at \"mien\": I know no \"mien\". -> list mine"),
        ("list overdeu in WEB", "Mistake at \"overdeu\": I know no \"overdeu\". -> list overdue in WEB"),
        ("acept #12", "Mistake at \"acept\": I know no \"acept\". -> accept #12"),
        ("review 12", "Mistake at \"12\": I know no \"12\". -> review #12"),
        ("hlep", "Mistake at \"hlep\": I know no \"hlep\". -> help"),
        ("help moev", "Mistake at \"moev\": There is no command \"moev\". `help` shows all of them. -> help move"),
        ("help rnu", "Mistake at \"rnu\": There is no command \"rnu\". `help` shows all of them. -> help run"),
        ("help planning-poker", "Mistake at \"planning-poker\": There is no command \"planning-poker\". `help` shows all of them. -> "),
        (
            "list foo in WEB",
            "Mistake at \"foo\": I know no \"foo\". There may stand `mine`, `unassigned`, `open`, `active`, `doing`, `blocked`, `done`, `overdue`, `due`, `under`, \
             `label:…` or a person such as `@ana`. -> list in WEB",
        ),
        (
            "set WEB-7 colour red",
            "Mistake at \"colour\": I know no \"colour\". There may stand `title`, `description`, `status`, `priority`, `kind`, `effort`, `estimate`, `assignee`, \
             `due`, `labels`, `label`, `blocker` or `step`. -> ",
        ),
        ("set WEB colour red", "Mistake at \"colour\": I know no \"colour\". There may stand `title`, `summary` or `zone`. -> "),
        (
            "move WEB-3 beneath WEB-1",
            "Mistake at \"beneath\": I know no \"beneath\". There may stand `under`, `below`, `before`, `after`, `behind` or `to`. -> ",
        ),
        ("show WEB-7 details", "Mistake at \"details\": I know no \"details\". It is written `show [WEB [@5]|WEB-7|#12]`. -> show WEB-7"),
        ("review #12 carefully", "Mistake at \"carefully\": I know no \"carefully\". It is written `review [#12]`. -> review #12"),
        ("add \"Fix it\" udner WEB-7", "Mistake at \"udner\": I know no \"udner\". -> add \"Fix it\" under WEB-7"),
        ("set WEB-7 duee friday", "Mistake at \"duee\": I know no \"duee\". -> set WEB-7 due friday"),
        ("add \"Fix it", "Mistake at \"\\\"Fix it\": The title's quotation mark is not closed. -> add \"Fix it\""),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn a_mistake_without_a_correction_says_how() {
    for (text, at, message) in [
        (
            "move WEB-3 under",
            "",
            "`move WEB-3 under` is not finished. Next comes a task such as `WEB-7` or a project such as `WEB`. For example `move WEB-7 under WEB-3`.",
        ),
        ("new", "", "`new` is not finished. Next comes a title in quotes. For example `new \"Sign-in flow\"`."),
        ("assign WEB-3 to", "", "`assign WEB-3 to` is not finished."),
        ("set WEB-7 due someday", "someday", "That is no date that I know"),
        ("add \"Fix it\" due someday", "someday", "\"someday\" is no date that I know"),
        ("set WEB-7 priority 7", "7", "A priority is `P0`, `P1`, `P2`, `P3` or `none`."),
        ("set WEB-7 title none", "", "The title of a task cannot be nothing."),
        ("set WEB zone Middle/Earth", "Middle/Earth", "A time zone looks like"),
        ("accept 5-3", "5-3", "Operations are numbers"),
        ("diff WEB 9..3", "", "The first of the two versions is the older one."),
        ("log WEB-7 the form", "the", "How long?"),
        ("log WEB-7", "", "`log WEB-7` is not finished. Next comes a time"),
        ("/foo bar", "foo", "I know no \"foo\". `help` shows what I know."),
        ("/move it", "move", "I cannot read this. It is written `move WEB-7 under|before|after WEB-3`"),
    ] {
        let Parsed::Mistake(mistake) = parse(text, &["WEB"]) else { panic!("{text}: {}", shown(text)) };
        assert_eq!(&text[mistake.at.clone()], at, "{text}");
        assert!(mistake.message.starts_with(message), "{text}: {}", mistake.message);
        assert!(mistake.suggestions.is_empty(), "{text}: {:?}", mistake.suggestions);
    }
}

#[test]
fn what_the_planner_understands_is_left_to_it() {
    let phrasings = [
        include_str!("../../../../agent/src/builtin/phrasings/new.txt"),
        include_str!("../../../../agent/src/builtin/phrasings/proposal.txt"),
        include_str!("../../../../agent/src/builtin/phrasings/plan.txt"),
        include_str!("../../../../agent/src/builtin/phrasings/task.txt"),
    ];
    for text in phrasings.iter().flat_map(|text| text.lines()).map(str::trim).filter(|text| !text.is_empty() && !text.starts_with('|')) {
        assert!(!matches!(parse(text, &["WEB"]), Parsed::Mistake(_)), "{text}: {}", shown(text));
    }
}

#[test]
fn several_commands_stand_one_a_line() {
    for (text, expected) in [
        ("add \"One\"\nadd \"Two\"", "1 Add, 2 Add"),
        ("done WEB-4\n\n  /start WEB-3: now \r\nlog 2h WEB-3\n", "1 Step, 3 Step, 4 Log"),
        ("split WEB-7 into a; b\nassign WEB-7 to me", "1 Split, 2 Assign"),
        ("block WEB-3: the key is missing\nset WEB zone Europe/Berlin", "1 Step, 2 SetProject"),
        ("accept #1\naccept #2 1,3\nreject #3 too early\ncomment #4 who tests this?", "1 Accept, 2 Accept, 3 Reject, 4 Comment"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
    for (text, name) in [
        ("new \"Sign-in\"\nschema\nreview\ntests", "New"),
        ("split WEB-7 into design; build\ntest", "Split"),
        ("comment #12 who tests this?\nBo, or Ana", "Comment"),
        ("done WEB-4\n", "Step"),
    ] {
        assert_eq!(kind(text), name, "one command with lines of its own: {text}");
    }
}

#[test]
fn a_line_that_does_not_fit_is_named_before_anything_is_done() {
    for (text, expected) in [
        (
            "done WEB-4\nmvoe WEB-3 under WEB-1",
            "Mistake at \"mvoe\": Line 2, `mvoe WEB-3 under WEB-1`: I know no \"mvoe\". Did you mean `move WEB-3 under WEB-1`? Nothing was changed. \
             -> done WEB-4\nmove WEB-3 under WEB-1",
        ),
        (
            "moev WEB-3 under WEB-1\ndone WEB-4",
            "Mistake at \"moev\": Line 1, `moev WEB-3 under WEB-1`: I know no \"moev\". Did you mean `move WEB-3 under WEB-1`? Nothing was changed. \
             -> move WEB-3 under WEB-1\ndone WEB-4",
        ),
        (
            "done WEB-4\nmove WEB-3 under",
            "Mistake at \"\": Line 2, `move WEB-3 under`: `move WEB-3 under` is not finished. Next comes a task such as `WEB-7` or a project such as `WEB`. \
             For example `move WEB-7 under WEB-3`. Nothing was changed. -> ",
        ),
        (
            "done WEB-4\ntell Bo that he can go on",
            "Mistake at \"tell Bo that he can go on\": Line 2, `tell Bo that he can go on`, is no command, and the message begins with one. \
             Send what is in your own words in a message of its own; commands are written one a line, and `help` shows them. Nothing was changed. -> done WEB-4",
        ),
        (
            "done WEB-4\nlist mine",
            "Mistake at \"list mine\": Line 2, `list mine`, only shows something: send it by itself. \
             Several commands in one message, one a line, are one change of one project. Nothing was changed. -> ",
        ),
        (
            "plan WEB\ndone WEB-4",
            "Mistake at \"plan WEB\": Line 1, `plan WEB`, is for the planner, which takes its time and proposes: send it by itself. \
             Several commands in one message, one a line, are one change of one project. Nothing was changed. -> ",
        ),
        (
            "done WEB-4\naccept #12",
            "Mistake at \"accept #12\": Line 2, `accept #12`, is no change of a plan and takes effect by itself: send it by itself. \
             Several commands in one message, one a line, are one change of one project. Nothing was changed. -> ",
        ),
        (
            "accept #1\nreject",
            "Mistake at \"reject\": Line 2, `reject`, does not say which proposal, as in `accept #12`: send it by itself. \
             Several commands in one message, one a line, are one change of one project. Nothing was changed. -> ",
        ),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
    let many = "done WEB-4\n".repeat(MAX_LINES + 1);
    assert!(shown(&many).contains("One message takes at most 100 commands"), "{}", shown(&many));
}

#[test]
fn help_is_the_table() {
    let all = help(None);
    for entry in TABLE {
        assert!(all.contains(entry.form), "{}", entry.form);
    }
    insta::assert_snapshot!(help(Some("finish")), @r"
    `done WEB-7 [: why]`

    Mark tasks as done.

    Also: `finish`, `close`, `complete`

        done WEB-7
        done WEB-4 and WEB-5: shipped with the release
    ");
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_harm(text in "\\PC{0,80}") {
        let _ = shown(&text);
    }

    #[test]
    fn any_lines_are_read_without_harm(text in "((done|add|list|acept|- x|hello)( (WEB-[1-4]|\"x\"|\\PC{0,4})){0,2}[ \r]?\n{1,2}){0,5}") {
        let _ = shown(&text);
    }

    #[test]
    fn any_words_are_read_without_harm(text in "(/?(move|add|list|set|accept|log|moev|diff) )?([a-z\"'#@,;:.–\\[\\]0-9A-Z-]{1,8} ?){0,8}") {
        let _ = shown(&text);
    }
}
