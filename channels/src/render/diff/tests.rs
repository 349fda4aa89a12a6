use patchbay_core::patch::{ProjectPatch, check, diff, normalise, plan::Plan, process::Role};
use serde_json::{Value, json};

use super::*;
use crate::{example, render::Terminal};

/// The diff of a patch on the example plan, through the real gates.
pub(in crate::render) fn shown(operations: &Value, meta: &Value) -> Diff {
    on(&example::plan(), json!({ "project_id": "WEB", "meta_updates": meta, "tasks": operations }))
}

fn on(plan: &Plan, patch: Value) -> Diff {
    let patch: ProjectPatch = serde_json::from_value(patch).unwrap();
    let checked = check::check(plan, normalise::flatten(patch), &check::Rules::of(Role::Member)).unwrap_or_else(|faults| panic!("{faults:?}"));
    diff::diff(plan, &checked)
}

pub(crate) fn everything() -> Diff {
    shown(
        &json!([
            { "op": "create", "task_id": "t1", "body": { "title": "Fix flaky e2e test", "priority": "P1", "parent_id": "WEB-1", "assignee": "ana", "due_on": "2026-12-04",
                "description": "It fails one time in ten.\n\n- on CI only", "depends_on": ["WEB-4", "t2"],
                "acceptance_criteria": [{ "text": "A hundred runs pass" }], "estimate_minutes": 150 } },
            { "op": "create", "task_id": "t2", "body": { "title": "Documentation", "labels": ["docs", "later"],
                "subtasks": [{ "op": "create", "task_id": "t3", "body": { "title": "Guide", "metadata": { "pages": 3 } } }] } },
            { "op": "update", "task_id": "WEB-3", "body": { "due_on": "2026-11-28" } },
            { "op": "update", "task_id": "WEB-4", "body": { "parent_id": "WEB-5", "after": "WEB-6" } },
            { "op": "update", "task_id": "WEB-6", "body": { "title": "Pay by card or by invoice", "status": "doing", "blocker": null, "depends_on": { "add": ["WEB-2"] } } },
            { "op": "delete", "task_id": "WEB-7" },
        ]),
        &json!({ "summary": "The shop, and who may enter and leave it." }),
    )
}

#[test]
fn plain_text_tells_everything() {
    insta::assert_snapshot!(page(&everything()).text(), @"
    WEB Website, on version 7: 3 new, 2 changed, 1 moved, 1 removed · one date moves by 3 days · touches ana · changes what one task waits for

      summary: The shop, and who may enter {+and leave+} it.
    1 + Fix flaky e2e test (P1, 2 h 30 min, @ana, due Fri 4 Dec 2026, under WEB-1) · needs 2
        description:
          | It fails one time in ten.
          |
          | - on CI only
        waits for: {+WEB-4+}, {+Documentation+}
        done when:
          + {+A hundred runs pass+}
    2 + Documentation (docs and later)
    3   + Guide · needs 2
          metadata:
            + pages: {+3+}
    4 ~ WEB-3 Form: due: [-Tue 1 Dec 2026-] → {+Sat 28 Nov 2026+} (3 days earlier)
    5 > WEB-4 Tests: moves under WEB-5, after WEB-6; was under WEB-1
    6 ~ WEB-6 Pay by card or by invoice
        title: Pay by card {+or by invoice+}
        status: [-blocked-] → {+doing+}
        blocker: [-the bank's answer-] → {+none+}
        waits for: {+WEB-2+}
    7 - WEB-7 Launch
    ");
}

#[test]
fn markdown_tells_everything() {
    insta::assert_snapshot!(page(&everything()).markdown(), @r"
    **WEB Website**, on version 7: 3 new, 2 changed, 1 moved, 1 removed · **one date moves by 3 days** · **touches ana** · **changes what one task waits for**

    - summary: The shop, and who may enter **and leave** it.
    - `1` **+** **Fix flaky e2e test** (P1, 2 h 30 min, @ana, due Fri 4 Dec 2026, under WEB-1) · needs 2
      - description:
        > It fails one time in ten.
        >
        > \- on CI only
      - waits for: **WEB-4**, **Documentation**
      - done when:
        - **+** **A hundred runs pass**
    - `2` **+** **Documentation** (docs and later)
      - `3` **+** **Guide** · needs 2
        - metadata:
          - **+** pages: **3**
    - `4` **~** **WEB-3 Form**: due: ~~Tue 1 Dec 2026~~ → **Sat 28 Nov 2026** (3 days earlier)
    - `5` **>** **WEB-4 Tests**: moves under WEB-5, after WEB-6; was under WEB-1
    - `6` **~** **WEB-6 Pay by card or by invoice**
      - title: Pay by card **or by invoice**
      - status: ~~blocked~~ → **doing**
      - blocker: ~~the bank's answer~~ → **none**
      - waits for: **WEB-2**
    - `7` **−** **WEB-7 Launch**
    ");
}

#[test]
fn html_tells_everything() {
    insta::assert_snapshot!(page(&everything()).html(), @"
    <p><strong>WEB Website</strong>, on version 7: 3 new, 2 changed, 1 moved, 1 removed · <em>one date moves by 3 days</em> · <em>touches ana</em> · <em>changes what one task waits for</em></p>
    <ul>
    <li>summary: The shop, and who may enter <ins>and leave</ins> it.</li>
    <li><code>1</code> <b>+</b> <strong>Fix flaky e2e test</strong> (P1, 2 h 30 min, @ana, due Fri 4 Dec 2026, under WEB-1) <small>· needs 2</small><ul>
    <li>description:<blockquote>It fails one time in ten.<br>
    <br>
    - on CI only</blockquote></li>
    <li>waits for: <ins>WEB-4</ins>, <ins>Documentation</ins></li>
    <li>done when:<ul>
    <li><b>+</b> <ins>A hundred runs pass</ins></li>
    </ul>
    </li>
    </ul>
    </li>
    <li><code>2</code> <b>+</b> <strong>Documentation</strong> (docs and later)<ul>
    <li><code>3</code> <b>+</b> <strong>Guide</strong> <small>· needs 2</small><ul>
    <li>metadata:<ul>
    <li><b>+</b> pages: <ins>3</ins></li>
    </ul>
    </li>
    </ul>
    </li>
    </ul>
    </li>
    <li><code>4</code> <b>~</b> <strong>WEB-3 Form</strong>: due: <del>Tue 1 Dec 2026</del> → <ins>Sat 28 Nov 2026</ins> <small>(3 days earlier)</small></li>
    <li><code>5</code> <b>&gt;</b> <strong>WEB-4 Tests</strong>: moves under WEB-5, after WEB-6; was under WEB-1</li>
    <li><code>6</code> <b>~</b> <strong>WEB-6 Pay by card or by invoice</strong><ul>
    <li>title: Pay by card <ins>or by invoice</ins></li>
    <li>status: <del>blocked</del> → <ins>doing</ins></li>
    <li>blocker: <del>the bank&#39;s answer</del> → <ins>none</ins></li>
    <li>waits for: <ins>WEB-2</ins></li>
    </ul>
    </li>
    <li><code>7</code> <b>&minus;</b> <strong>WEB-7 Launch</strong></li>
    </ul>
    ");
}

#[test]
fn a_terminal_wraps_and_colours() {
    let text = page(&everything()).terminal(Terminal { colour: true, width: 60 });
    insta::assert_snapshot!(text.replace('\x1b', "ESC"), @"
    ESC[1mWEB ESC[0mESC[1mWebsiteESC[0m, on version 7: 3 new, 2 changed, 1 moved, 1
    removed · ESC[33mone ESC[0mESC[33mdate ESC[0mESC[33mmoves ESC[0mESC[33mby ESC[0mESC[33m3 ESC[0mESC[33mdaysESC[0m · ESC[33mtouches ESC[0mESC[33manaESC[0m · ESC[33mchanges ESC[0m
    ESC[33mwhat ESC[0mESC[33mone ESC[0mESC[33mtask ESC[0mESC[33mwaits ESC[0mESC[33mforESC[0m

      summary: The shop, and who may enter ESC[32mand ESC[0mESC[32mleave ESC[0mit.
    1 ESC[32m+ESC[0m ESC[1mFix ESC[0mESC[1mflaky ESC[0mESC[1me2e ESC[0mESC[1mtestESC[0m (P1, 2 h 30 min, @ana, due Fri 4 Dec
        2026, under WEB-1)ESC[2m ESC[0mESC[2m· ESC[0mESC[2mneeds ESC[0mESC[2m2ESC[0m
        description:
          ESC[2m|ESC[0m It fails one time in ten.
          ESC[2m|ESC[0m
          ESC[2m|ESC[0m - on CI only
        waits for: ESC[32mWEB-4ESC[0m, ESC[32mDocumentationESC[0m
        done when:
          ESC[32m+ESC[0m ESC[32mA ESC[0mESC[32mhundred ESC[0mESC[32mruns ESC[0mESC[32mpassESC[0m
    2 ESC[32m+ESC[0m ESC[1mDocumentationESC[0m (docs and later)
    3   ESC[32m+ESC[0m ESC[1mGuideESC[0mESC[2m ESC[0mESC[2m· ESC[0mESC[2mneeds ESC[0mESC[2m2ESC[0m
          metadata:
            ESC[32m+ESC[0m pages: ESC[32m3ESC[0m
    4 ESC[33m~ESC[0m ESC[1mWEB-3 ESC[0mESC[1mFormESC[0m: due: ESC[31;9mTue ESC[0mESC[31;9m1 ESC[0mESC[31;9mDec ESC[0mESC[31;9m2026ESC[0m → ESC[32mSat ESC[0mESC[32m28 ESC[0mESC[32mNov ESC[0mESC[32m2026ESC[0mESC[2m ESC[0mESC[2m(3 ESC[0m
        ESC[2mdays ESC[0mESC[2mearlier)ESC[0m
    5 ESC[36m>ESC[0m ESC[1mWEB-4 ESC[0mESC[1mTestsESC[0m: moves under WEB-5, after WEB-6; was under
        WEB-1
    6 ESC[33m~ESC[0m ESC[1mWEB-6 ESC[0mESC[1mPay ESC[0mESC[1mby ESC[0mESC[1mcard ESC[0mESC[1mor ESC[0mESC[1mby ESC[0mESC[1minvoiceESC[0m
        title: Pay by cardESC[32m ESC[0mESC[32mor ESC[0mESC[32mby ESC[0mESC[32minvoiceESC[0m
        status: ESC[31;9mblockedESC[0m → ESC[32mdoingESC[0m
        blocker: ESC[31;9mthe ESC[0mESC[31;9mbank's ESC[0mESC[31;9manswerESC[0m → ESC[32mnoneESC[0m
        waits for: ESC[32mWEB-2ESC[0m
    7 ESC[31m-ESC[0m ESC[1mWEB-7 ESC[0mESC[1mLaunchESC[0m
    ");
}

#[test]
fn a_new_project_is_called_new() {
    let mut plan = example::plan();
    plan = Plan::new(patchbay_core::patch::plan::Project { version: 0, ..plan.project }, plan.members, []);
    let diff = on(&plan, json!({ "meta_updates": { "title": "Sign-in flow" }, "tasks": [{ "op": "create", "task_id": "t1", "body": { "title": "Schema" } }] }));
    insta::assert_snapshot!(page(&diff).text(), @"
    New project Sign-in flow: 1 new

    1 + Schema
    ");
}

#[test]
fn criteria_are_compared_one_by_one() {
    let diff = shown(
        &json!([{ "op": "update", "task_id": "WEB-3", "body": {
            "description": "Name and password, and **something** else.",
            "acceptance_criteria": { "add": [{ "id": "c2", "text": "Errors are told", "done": true }, { "text": "It is fast" }], "remove": ["c1"] } } }]),
        &Value::Null,
    );
    insta::assert_snapshot!(page(&diff).text(), @"
    WEB Website, on version 7: 1 changed

    1 ~ WEB-3 Form
        description: Name and password, and **[-nothing-]{+something+}** else.
        done when:
          - [-It works without JavaScript-]
          [x] Errors are told
          + {+It is fast+}
    ");
}

#[test]
fn an_operation_has_a_line_of_its_own() {
    let diff = everything();
    let lines: Vec<_> = diff.entries.iter().map(|entry| summary(&diff, entry)).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    + Fix flaky e2e test (P1, 2 h 30 min, @ana, due Fri 4 Dec 2026, under WEB-1) · needs 2
    + Documentation (docs and later)
    + Guide (under Documentation) · needs 2
    ~ WEB-3 Form: due: [-Tue 1 Dec 2026-] → {+Sat 28 Nov 2026+} (3 days earlier)
    > WEB-4 Tests: moves under WEB-5, after WEB-6; was under WEB-1
    ~ WEB-6 Pay by card or by invoice: title, status, blocker and waits for
    - WEB-7 Launch
    ");
    assert_eq!(counts(&diff.counts), "3 new, 2 changed, 1 moved, 1 removed");
}

#[test]
fn hostile_text_stays_text_everywhere() {
    let title = "\u{1b}[2J<script>alert(1)</script> **x** [y](javascript:z) `rm` next \u{202e}gnp.exe";
    let description = "</blockquote><img src=x onerror=y>\n# Heading\n1. item\n\u{1b}]0;title\u{7}";
    let patch = json!([{ "op": "create", "task_id": "t1", "body": { "title": title, "description": description, "labels": ["<b>"] } }]);
    let page = page(&shown(&patch, &Value::Null));
    let terminal = page.terminal(Terminal { colour: true, width: 200 });
    assert!(!terminal.contains("\x1b[2J") && !terminal.contains("\x1b]") && !terminal.contains('\u{7}') && !terminal.contains('\u{202e}'), "{terminal:?}");
    let html = page.html();
    assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<b>&lt;b&gt;"), "{html}");
    assert_eq!(html.matches("</blockquote>").count(), 1, "{html}");
    insta::assert_snapshot!(page.markdown(), @r"
    **WEB Website**, on version 7: 1 new

    - `1` **+** **\\u001b\[2J\<script\>alert(1)\</script\> \*\*x\*\* \[y\](javascript:z) \`rm\` next \\u202egnp.exe** (\<b\>)
      - description:
        > \</blockquote\>\<img src=x onerror=y\>\
        > \# Heading\
        > 1\. item\
        > \\u001b\]0;title\\u0007
    ");
}

#[test]
fn no_change_is_invisible() {
    let diff = shown(
        &json!([
            { "op": "update", "task_id": "WEB-3", "body": { "title": "Fo\u{200b}rm", "description": "Name and password,\nand **nothing** else." } },
            { "op": "update", "task_id": "WEB-6", "body": { "blocker": "the bank's  answer", "labels": ["a\u{202e}b", "👩\u{200d}💻", "שלום"] } },
        ]),
        &Value::Null,
    );
    insta::assert_snapshot!(page(&diff).text(), @r"
    WEB Website, on version 7: 2 changed

    1 ~ WEB-3 Fo\u200brm
        title: [-Form-] → {+Fo\u200brm+}
        description: Name and password,[-␣-]{+↵+}and **nothing** else.
    2 ~ WEB-6 Pay by card
        blocker: [-the bank's answer-] → {+the bank's  answer+}
        labels: {+a\u202eb+}, {+👩‍💻+}, {+שלום+}
    ");
}
