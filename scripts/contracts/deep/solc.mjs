// The compiler of npm's `solc` as forge calls a native one: --version, and --standard-json on standard input.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const solc = require("solc");

if (process.argv.includes("--version"))
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
else {
  const root = process.argv[process.argv.indexOf("--base-path") + 1] ?? process.cwd();
  const read = (path) => {
    for (const file of [path, join(root, path), join(root, "node_modules", path)])
      try {
        return { contents: readFileSync(file, "utf8") };
      } catch {}
    return { error: `${path} is not there` };
  };
  process.stdout.write(solc.compile(readFileSync(0, "utf8"), { import: read }));
}
