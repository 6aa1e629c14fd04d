import { type ParseArgsConfig, parseArgs } from "node:util";

type Wanted = NonNullable<ParseArgsConfig["options"]>;
type Values<Options extends Wanted> = ReturnType<typeof parseArgs<{ options: Options }>>["values"];

/** What a command is told, or what it says instead of beginning. */
type Parsed<Options extends Wanted> = { values: Values<Options> } | { exitCode: 0 | 2; says: string };

/** Reads arguments without acting on them. Every command knows --help. */
export function parseCommand<const Options extends Wanted>(
  help: string,
  options: Options,
  args: readonly string[],
): Parsed<Options> {
  if (args.includes("--help") || args.includes("-h")) return { exitCode: 0, says: help };
  try {
    return { values: parseArgs({ args: [...args], options }).values as Values<Options> };
  } catch (error) {
    // Node's own advice after the first sentence is about its parser.
    const [fault = ""] = (error as Error).message.split(/\. |\n/);
    return { exitCode: 2, says: `${fault}\n\n${help}` };
  }
}

/** What the command is told. For --help, and for what it does not know, the process ends here, with the help. */
export function readCommand<const Options extends Wanted>(
  help: string,
  options: Options,
  args: readonly string[] = process.argv.slice(2),
): Values<Options> {
  const read = parseCommand(help, options, args);
  if ("values" in read) return read.values;
  (read.exitCode === 0 ? console.log : console.error)(read.says);
  process.exit(read.exitCode);
}
