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
 * Asks the compiler for what is read, and for nothing else: a sixth of the tests' build, and two fifths of coverage's,
 * would go into what nobody looks at.
 *
 * The production build compiles each file by itself, through the IR, so that a contract's code depends on nothing but
 * its own sources. Two files of three hold nothing to deploy (interfaces, bases, libraries) and need no build of theirs;
 * and of what a file imports no code is asked for, since it has a build of its own.
 */
export const leanBuild: HardhatPlugin = {
  id: "bursar-lean-build",
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
          async invokeSolc(context, _compiler, input) {
            if (isProduction) return compile(input, codeOfRoots(input));
            return compile(input, codeOfTests(input, context.globalOptions.coverage));
          },
        };
      },
    }),
  },
};

const isDeployable = async (file: string): Promise<boolean> =>
  file.startsWith("npm:") || /^contract \w/m.test(await readFile(file, "utf8"));

/** In one process for all jobs: loading the compiler anew for each takes as long as half of them. */
function compile(input: CompilerInput, outputSelection: OutputSelection): CompilerOutput {
  solc ??= createRequire(import.meta.url)("solc") as Solc;
  const asked = { ...input, settings: { ...input.settings, outputSelection } };
  return withEmptyListings(JSON.parse(solc.compile(JSON.stringify(asked))) as CompilerOutput);
}

/**
 * All but the listing of opcodes; and where the run is about what is covered, but for syntax trees, by which a simulated
 * chain tells where a call failed: the run that is about that has them.
 */
export function codeOfTests({ settings }: CompilerInput, isCoverage: boolean): OutputSelection {
  const trees = settings.outputSelection["*"]?.[""] ?? [];
  return { "*": { "": isCoverage ? [] : trees, "*": withoutListings(settings) } };
}

const withoutListings = ({ outputSelection }: CompilerInput["settings"]): string[] =>
  (outputSelection["*"]?.["*"] ?? []).filter((part) => !part.endsWith(".opcodes"));

/** The simulated chain wants the fields that were not asked for, and reads nothing in them. */
function withEmptyListings(output: CompilerOutput): CompilerOutput {
  for (const source of Object.values(output.sources)) source.ast ??= { nodes: [] };
  for (const { evm } of Object.values(output.contracts ?? {}).flatMap((file) => Object.values(file)))
    for (const code of [evm?.bytecode, evm?.deployedBytecode]) if (code) code.opcodes ??= "";
  return output;
}

/** What is asked of a production job: the code of its roots, and nothing of what they import. */
export function codeOfRoots({ sources, settings }: CompilerInput): OutputSelection {
  const imported = new Set(
    Object.values(sources).flatMap(({ content }) =>
      [...content.matchAll(/^\s*import\b[^;]*?["']([^"']+)["'];/gm)].map(([, path = ""]) =>
        posix.basename(path),
      ),
    ),
  );
  const roots = Object.keys(sources).filter((name) => !imported.has(posix.basename(name)));
  return Object.fromEntries(roots.map((root) => [root, { "*": withoutListings(settings) }]));
}
