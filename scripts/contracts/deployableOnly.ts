import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { posix } from "node:path";
import type { HardhatPlugin } from "hardhat/types/plugins";
import type { CompilerInput, CompilerOutput } from "hardhat/types/solidity";

/** The part of the package that is used: standard JSON in, standard JSON out. */
type Solc = { compile(input: string): string };

const profile = "production";
let solc: Solc | undefined;

/**
 * The production build compiles each file by itself, through the IR, so that a contract's code depends on nothing but
 * its own sources. Two files of three hold nothing to deploy (interfaces, bases, libraries) and need no build of theirs;
 * and of what a file imports no code is asked for, since it has a build of its own.
 */
export const deployableOnly: HardhatPlugin = {
  id: "bursar-deployable-only",
  hookHandlers: {
    solidity: async () => ({
      default: async () => {
        let isProduction = false;
        return {
          async build(context, files, options, next) {
            isProduction = options?.buildProfile === profile;
            if (!isProduction) return next(context, files, options);
            const deployable = await Promise.all(files.map(isDeployable));
            return next(
              context,
              files.filter((_, at) => deployable[at]),
              options,
            );
          },
          async invokeSolc(context, compiler, input, config, next) {
            if (!isProduction) return next(context, compiler, input, config);
            // In one process for all files: loading the compiler anew for each would take as long as half of them.
            solc ??= createRequire(import.meta.url)("solc") as Solc;
            return JSON.parse(solc.compile(JSON.stringify(codeOfRoots(input)))) as CompilerOutput;
          },
        };
      },
    }),
  },
};

const isDeployable = async (file: string): Promise<boolean> =>
  file.startsWith("npm:") || /^contract \w/m.test(await readFile(file, "utf8"));

/** The same job, which asks for the code of those files alone that no other of the job imports. */
export function codeOfRoots(input: CompilerInput): CompilerInput {
  const wanted = input.settings.outputSelection["*"] ?? {};
  const imported = new Set(
    Object.values(input.sources).flatMap(({ content }) =>
      [...content.matchAll(/^\s*import\b[^;]*?["']([^"']+)["'];/gm)].map(([, path = ""]) =>
        posix.basename(path),
      ),
    ),
  );
  const roots = Object.keys(input.sources).filter((name) => !imported.has(posix.basename(name)));
  return {
    ...input,
    settings: {
      ...input.settings,
      outputSelection: {
        "*": { "": wanted[""] ?? [] },
        ...Object.fromEntries(roots.map((root) => [root, wanted])),
      },
    },
  };
}
