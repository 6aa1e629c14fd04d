import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { packedPages } from "../../../scripts/sdk/pages.ts";

const docs = join(import.meta.dirname, "../../../docs");

async function pagesOf(pages: Record<string, string>): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "bursar-pages-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(pages)) await writeFile(join(folder, name), text);
  return Object.fromEntries(await packedPages(folder, "main.md"));
}

test("a page comes with those that it names, and what does not come along is told without a link", async () => {
  expect(
    await pagesOf({
      "main.md":
        "See [one](one.md#part), [the source](../offchain/main.ts), [here](#here), [EIP](https://eips.example/1).",
      "one.md": "Back to [main](main.md), on to [two](two.md), ![a picture](images/one.png).",
      "two.md": "Not named by the main page.",
    }),
  ).toEqual({
    "README.md": "See [one](docs/one.md#part), the source, [here](#here), [EIP](https://eips.example/1).",
    "docs/one.md": "Back to [main](../README.md), on to two, a picture.",
  });
});

test.each([
  ["sdk.md", ["README.md", "docs/x402.md", "docs/events.md"]],
  ["contracts.md", ["README.md"]],
])("no link of what is packed with %s is dead", async (main, least) => {
  const pages = await packedPages(docs, main);
  expect([...pages.keys()]).toEqual(expect.arrayContaining(least));
  for (const [path, text] of pages)
    for (const [, target = ""] of text.matchAll(/\]\(([^)#\s]+)/g))
      if (!/^[a-z]+:/.test(target))
        expect([...pages.keys()], `${path} has a link to it`).toContain(
          posix.join(posix.dirname(path), target),
        );
});
