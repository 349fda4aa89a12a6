import { act, cleanup, render, screen } from "@testing-library/react";
import { Suspense } from "react";
import { afterEach, expect, test } from "vitest";
import { lazyPage, MissingPiece } from "@/app/lazy-page";

afterEach(cleanup);

const Greeting = ({ name }: { name: string }) => <p>Hello {name}</p>;

test("a page that was asked for before is there at once", async () => {
  let asked = 0;
  const Page = lazyPage(async () => {
    asked += 1;
    return { Greeting };
  }, "Greeting");
  await Promise.all([Page.preload(), Page.preload()]);
  render(<Page name="Ana" />);
  expect(screen.getByText("Hello Ana")).toBeTruthy();
  expect(asked).toBe(1);
});

test("one that was not shows what is shown meanwhile", async () => {
  let come: (piece: { Greeting: typeof Greeting }) => void = () => {};
  const Page = lazyPage(() => new Promise<{ Greeting: typeof Greeting }>((resolve) => (come = resolve)), "Greeting");
  await act(async () =>
    render(
      <Suspense fallback="Loading">
        <Page name="Ana" />
      </Suspense>,
    ),
  );
  expect(screen.getByText("Loading")).toBeTruthy();
  await act(async () => come({ Greeting }));
  expect(await screen.findByText("Hello Ana")).toBeTruthy();
});

test("a piece that does not come is a missing piece, and is asked for again", async () => {
  let isThere = false;
  const Page = lazyPage(async () => {
    if (!isThere) throw new TypeError("Failed to fetch dynamically imported module");
    return { Greeting };
  }, "Greeting");
  await expect(Page.preload()).rejects.toBeInstanceOf(MissingPiece);
  isThere = true;
  await Page.preload();
});
