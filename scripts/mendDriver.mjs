// postgres.js 3.4.9 ends the whole process when a connection breaks inside a transaction: what was to be written next
// (the ROLLBACK, say) is written to a socket that is gone, in a callback that nobody can catch; and a write that was
// still waiting keeps the connection's next life from ever writing anything (github.com/porsager/postgres: issues 1154
// and 1208, pull request 1168, open). With this the query is refused with CONNECTION_CLOSED, like any other. And the
// last words of a server that went away are not told to the first query of the connection's next life. And rows that COPY
// refuses when the last of them is there, or whose server goes away then, are refused: nobody ever answered before.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
// `require` finds the CommonJS copy; the service imports the one beside it.
const file = join(dirname(require.resolve("postgres")), "../../src/connection.js");

const changes = [
  {
    before: "  function nextWrite(fn) {\n    const x = socket.write",
    after: `  function nextWrite(fn) {
    if (socket === null) {
      clearImmediate(nextWriteTimer)
      chunk = nextWriteTimer = null
      error(Errors.connection('CONNECTION_CLOSED', options))
      return false
    }
    const x = socket.write`,
  },
  {
    before: "    incomings = null\n    clearImmediate(nextWriteTimer)\n    socket.removeListener",
    after:
      "    incomings = null\n    clearImmediate(nextWriteTimer)\n    chunk = nextWriteTimer = null\n    socket.removeListener",
  },
  {
    before: "options, socket))\n    closedTime = ",
    after: "options, socket))\n    query = results = errorResponse = null\n    closedTime = ",
  },
  {
    before: "    stream && (stream.destroy(err), stream = null)\n    query &&",
    after:
      "    stream && (stream.destroy(err), stream = null)\n    final && (final(err), final = null)\n    query &&",
  },
];

/** Changes the installed driver, once. @throws Error if it is not the driver that the change was written for */
export function mendDriver() {
  let text = readFileSync(file, "utf8");
  const wanting = changes.filter(({ after }) => !text.includes(after));
  if (wanting.length === 0) return;
  for (const { before, after } of wanting) {
    if (!text.includes(before))
      throw new Error(`${file} is not the driver that scripts/mendDriver.mjs mends`);
    text = text.replace(before, after);
  }
  // A new file in the old one's place: the old one may be shared by hard links.
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
