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
 * The code of those files of a job that no other of it imports, with every file's syntax tree, by which a local chain tells
 * where a call failed. In one process for all jobs: loading the compiler anew for each takes as long as half of them.
 */
function compileRoots(input: CompilerInput): CompilerOutput {
  solc ??= createRequire(import.meta.url)("solc") as Solc;
  // Asked for with code, a file's tree has the compiler make the code of all that is in the file.
  const read = compile(solc, input, { "*": { "": ["ast"], "*": ["abi", "evm.methodIdentifiers"] } });
  const made = compile(solc, input, codeOfRoots(input));
  return { ...made, sources: read.sources, contracts: { ...withoutCode(read.contracts), ...made.contracts } };
}

const noCode = { object: "", opcodes: "", sourceMap: "", linkReferences: {}, immutableReferences: {} };

/** Contracts of which no code was made, told as the compiler tells an interface. */
const withoutCode = (contracts: CompilerOutput["contracts"] = {}): CompilerOutput["contracts"] =>
  Object.fromEntries(
    Object.entries(contracts).map(([file, those]) => [
      file,
      Object.fromEntries(
        Object.entries(those).map(([name, contract]) => [
          name,
          {
            ...contract,
            evm: {
              methodIdentifiers: contract.evm?.methodIdentifiers ?? {},
              bytecode: noCode,
              deployedBytecode: noCode,
            },
          },
        ]),
      ),
    ]),
  );

function compile(by: Solc, input: CompilerInput, outputSelection: OutputSelection): CompilerOutput {
  const asked = { ...input, settings: { ...input.settings, outputSelection } };
  return JSON.parse(by.compile(JSON.stringify(asked))) as CompilerOutput;
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
