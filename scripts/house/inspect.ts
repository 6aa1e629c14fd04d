import { type Project, parse, type Violation } from "./file.ts";
import { untestedRules } from "./mirrors.ts";
import { placeRules } from "./places.ts";
import {
  foldersOf,
  functionsOf,
  largeFolders,
  largest,
  linesOf,
  longFile,
  longFunctions,
  type Measure,
} from "./size.ts";
import { foreignTables, homesOfTables } from "./tables.ts";
import { sentencesOf } from "./words.ts";

export interface Inspection {
  readonly violations: readonly Violation[];
  readonly longestFunction: Measure;
  readonly longestFile: Measure;
  readonly largestFolder: Measure;
}

/** Looks at every file of the project. */
export function inspect({ sources, migrations, paths }: Project): Inspection {
  const files = sources.map(parse);
  const known = new Set(paths);
  const homes = homesOfTables(migrations);
  return {
    violations: [
      ...files.flatMap((file) => placeRules.flatMap((rule) => rule(file))),
      ...files.flatMap((file) => untestedRules(file, known)),
      ...files.flatMap((file) => foreignTables(file, homes)),
      ...files.flatMap(longFunctions),
      ...files.flatMap(longFile),
      ...largeFolders(paths),
      ...files.flatMap(sentencesOf),
    ],
    longestFunction: largest(files.flatMap(functionsOf)),
    longestFile: largest(files.map(linesOf)),
    largestFolder: largest(foldersOf(paths)),
  };
}
