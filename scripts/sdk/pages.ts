import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** `[text](target#part)`; pictures too. */
const link = /(!?)\[([^\]]*)\]\(([^)#\s]*)(#[^)\s]*)?\)/g;

/**
 * The pages that come with a package, by path: the README, which is one page of the documentation, and beside it in
 * `docs/` the pages that it names. A link to what does not come along is its text alone.
 * @param folder of the documentation
 * @param main the page that becomes the README, such as `sdk.md`
 */
export async function packedPages(folder: string, main: string): Promise<Map<string, string>> {
  const known = new Set(await readdir(folder));
  const read = (page: string) => readFile(join(folder, page), "utf8");
  const text = await read(main);
  const named = new Set(
    [...text.matchAll(link)].flatMap(([, , , target = ""]) => (known.has(target) ? [target] : [])),
  );
  named.delete(main);
  const packed = new Map([["README.md", linked(text, (page) => (named.has(page) ? `docs/${page}` : null))]]);
  for (const page of named) {
    const placed = (other: string) => (other === main ? "../README.md" : named.has(other) ? other : null);
    packed.set(`docs/${page}`, linked(await read(page), placed));
  }
  return packed;
}

/** @param placed where a page is now; null: it does not come along */
function linked(text: string, placed: (page: string) => string | null): string {
  return text.replace(link, (whole, picture: string, words: string, target: string, part = "") => {
    // A part of the same page, and what stands elsewhere on the net, is there in any case.
    if (target === "" || /^[a-z]+:/.test(target)) return whole;
    const place = picture ? null : placed(target);
    return place === null ? words : `[${words}](${place}${part})`;
  });
}
