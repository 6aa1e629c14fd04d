import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { posix } from "node:path";
import type { HardhatPlugin } from "hardhat/types/plugins";
import type { CompilerInput, CompilerOutput } from "hardhat/types/solidity";

/** The part of the package that is used: standard JSON in, standard JSON out. */
type Solc = { compile(input: string): string };
type OutputSelection = CompilerInput["settings"]["outputSelection"];

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
            return compileRoots(input);
          },
        };
      },
    }),
  },
};

const isDeployable = async (file: string): Promise<boolean> =>
  file.startsWith("npm:") || /^contract \w/m.test(await readFile(file, "utf8"));

/**
 * The code of those files of a job that no other of it imports. In one process for all jobs: loading the compiler anew for
 * each takes as long as half of them. Syntax trees, by which a simulated chain tells where a call failed, are made by the
 * build for tests alone.
 */
function compileRoots(input: CompilerInput): CompilerOutput {
  solc ??= createRequire(import.meta.url)("solc") as Solc;
  const asked = { ...input, settings: { ...input.settings, outputSelection: codeOfRoots(input) } };
  return JSON.parse(solc.compile(JSON.stringify(asked))) as CompilerOutput;
}

/** What is asked of a job: all of its roots, and nothing of what they import. */
export function codeOfRoots({ sources, settings }: CompilerInput): OutputSelection {
  const wanted = settings.outputSelection["*"]?.["*"] ?? [];
  const imported = new Set(
    Object.values(sources).flatMap(({ content }) =>
      [...content.matchAll(/^\s*import\b[^;]*?["']([^"']+)["'];/gm)].map(([, path = ""]) =>
        posix.basename(path),
      ),
    ),
  );
  const roots = Object.keys(sources).filter((name) => !imported.has(posix.basename(name)));
  return Object.fromEntries(roots.map((root) => [root, { "*": wanted }]));
}
