import { beforeAll, expect, test } from "vitest";
import { expectGood, id, page, patchbay, setUp } from "./browser";

setUp();
beforeAll(async () => {
  await patchbay.api("/projects", { title: "Website", key: "WEB" });
});

const invite = {
  prompt: "Invite everybody to the launch.",
  title: "The launch",
  facts: { Date: "1 December" },
  count: 3,
};

test("where nothing was run, the studio says what it is for", async () => {
  await page.goto(`${patchbay.url}/studio`);
  await page.getByText("Nothing was run yet").waitFor();
  await expectGood("studio, none");
});

test("a tool is run by the fields of its schema, and what is wrong is said at its field", async () => {
  await page.getByRole("button", { name: "Run a tool" }).click();
  const form = id("run-tool");
  await form.getByLabel("Tool").selectOption("generate_text");
  await form.getByRole("button", { name: "Run", exact: true }).click();
  await form.getByText("This is needed.").waitFor();
  await form.getByLabel("Prompt").fill(invite.prompt);
  await form.getByLabel("Title").fill(invite.title);
  await form.getByLabel("Facts").fill("1 December");
  await form.getByLabel("Count").fill("11");
  await form.getByRole("button", { name: "Run", exact: true }).click();
  await form.getByText("“1 December” is no “name: value”.").waitFor();
  await form.getByLabel("Facts").fill("Date: 1 December\nPlace: Kolkata");
  await form.getByRole("button", { name: "Run", exact: true }).click();
  await form.getByText("11 is greater than the maximum of 10").waitFor();
  await expectGood("studio, run a tool");
  await form.getByLabel("Count").fill("3");
  await form.getByRole("button", { name: "Run", exact: true }).click();
  await id("job-done").waitFor();
  await expect.poll(() => id("variant").count()).toBe(3);
  await id("job-log").getByText("Variant 3 of 3").waitFor();
  await expectGood("studio, variants");
});

test("an edit that somebody else was faster with is explained, and nothing is lost", async () => {
  await page.getByRole("button", { name: "Edit variant 1" }).click();
  const form = id("edit-text");
  await form.getByLabel("Text").fill("Mine");
  const job = page.url().split("/").at(-1);
  const { data } = await patchbay.api(`/jobs/${job}/variants`);
  await patchbay.api(
    `/variants/${data[0].id}`,
    { title: "The launch", content: "Theirs" },
    { method: "PUT", headers: { "If-Match": "*" } },
  );
  await form.getByRole("button", { name: "Save" }).click();
  await id("text-conflict").getByText("Theirs", { exact: true }).waitFor();
  await expectGood("studio, conflict");
  await id("text-conflict").getByRole("button", { name: "Replace it with mine" }).click();
  await form.waitFor({ state: "detached" });
  await id("variant").getByText("Mine").waitFor();
});

test("variants are taken along in each form, and accepted they are documents", async () => {
  const saved = async (name: string) => {
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: /^Export/ }).click();
    await page.getByRole("menuitem", { name }).click();
    return (await download).suggestedFilename();
  };
  expect(await saved("Markdown")).toBe("variants.zip");
  await page.getByRole("checkbox", { name: "Variant 1" }).press("Space");
  expect(await saved("HTML")).toMatch(/\.html$/);
  expect(await saved("JSON")).toMatch(/\.json$/);
  expect(await saved("Plain text")).toMatch(/\.txt$/);
  await page.getByRole("checkbox", { name: "Variant 2" }).check();
  await page.getByRole("button", { name: "Accept 2" }).click();
  await expect.poll(() => page.getByText("accepted", { exact: true }).count()).toBe(2);
  await page.getByRole("checkbox", { name: "Variant 3" }).check();
  await page.getByRole("button", { name: "Accept", exact: true }).click();
  await id("document-draft").waitFor();
});

test("a document goes from draft to published, with versions and attachments in their order", async () => {
  await page.getByRole("button", { name: "Edit", exact: true }).click();
  await id("edit-text").getByLabel("Title").fill("Come to the launch");
  await id("edit-text").getByRole("button", { name: "Save" }).click();
  await id("versions").getByText("Version 2").waitFor();
  for (const name of ["plan.txt", "map.txt"]) {
    await page.setInputFiles("input[type=file]", { name, mimeType: "text/plain", buffer: Buffer.from(name) });
    await id("attachments").getByText(name).waitFor();
  }
  await page.getByRole("button", { name: "Move map.txt up" }).click();
  await expect.poll(() => id("attachments").locator("a").first().innerText()).toContain("map.txt");
  await page.getByRole("button", { name: "Let map.txt stand for the document" }).click();
  await page.getByRole("button", { name: "map.txt stands for the document" }).waitFor();
  await expectGood("document, draft");
  await id("versions")
    .getByRole("button", { name: /^Version 1/ })
    .click();
  await id("version").getByText("The launch").first().waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Ask for review" }).click();
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("button", { name: "Publish" }).click();
  await id("document-published").waitFor();
  expect(await page.getByRole("button", { name: "Edit", exact: true }).count()).toBe(0);
  await page.getByRole("link", { name: "Documents" }).first().click();
  await page.getByRole("radio", { name: "Published" }).check({ force: true });
  await expect.poll(() => id("documents").locator("li").count()).toBe(1);
  await page.getByRole("radio", { name: "All" }).check({ force: true });
  await page.getByLabel("Search documents").fill("come");
  await expect.poll(() => id("documents").locator("li").count()).toBe(1);
  await page.getByLabel("Search documents").fill("");
  await expectGood("documents");
});

test("what a tool cannot do is said, and it can be run again as one's own", async () => {
  const job = await patchbay.api("/jobs", { tool: "export", input: { project: "NONE", format: "md" } });
  await page.goto(`${patchbay.url}/studio/jobs/${job.id}`);
  await id("job-dead").getByText("there is no project NONE").first().waitFor();
  await page.getByRole("button", { name: "Send again" }).click();
  await page.getByText("It waits again.").waitFor();
  await id("job-dead").waitFor();
  await page.getByRole("button", { name: "Run another like it" }).click();
  await id("run-tool").getByLabel("Project").selectOption("WEB");
  await id("run-tool").getByRole("button", { name: "Run", exact: true }).click();
  await id("result").getByText("Website").waitFor();
  await expectGood("studio, result");
  await patchbay.api("/jobs", { tool: "lint", input: { text: "# A\n\n### B\n", format: "markdown" } });
  const waiting = {
    tool: "changelog",
    input: { project: "WEB" },
    run_at: new Date(Date.now() + 3_600_000).toISOString(),
  };
  await patchbay.api("/jobs", waiting);
  await page.goto(`${patchbay.url}/studio`);
  const later = id("studio-jobs").getByRole("link", { name: /^Changelog of WEB scheduled/ });
  await later.waitFor();
  await id("studio-jobs").getByText("given up").waitFor();
  await expectGood("studio");
  await later.press("Enter");
  await page.getByRole("button", { name: "Cancel" }).click();
  await id("job-cancelled").waitFor();
});
