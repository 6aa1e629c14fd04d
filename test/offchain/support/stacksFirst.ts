import { readFile } from "node:fs/promises";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Files that start the whole service take longest, and mostly wait: begun last, they leave the other worker with
 * nothing to do. A run that has no earlier run's times to go by knows them by what they call.
 */
export class StacksFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const ranks = new Map(await Promise.all(sorted.map(async (file) => [file, await rank(file)] as const)));
    return sorted.toSorted((one, other) => (ranks.get(one) ?? 0) - (ranks.get(other) ?? 0));
  }
}

/** Most first: kills under load, then any stack, then the rest. */
async function rank({ moduleId }: TestSpecification): Promise<number> {
  const text = await readFile(moduleId, "utf8");
  if (!text.includes("startTestStack(")) return 2;
  return text.includes(".killService(") ? 0 : 1;
}
