// Runs the ledger's invariants against a running service and says which hold.
//   npm run conformance:ledger [-- --url http://127.0.0.1:4020 --chain 31337 --operator-key 0x… --json]
import {
  type HDAccount,
  mnemonicToAccount,
  type PrivateKeyAccount,
  privateKeyToAccount,
} from "viem/accounts";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { Context } from "./conformance/client.ts";
import { invariants } from "./conformance/ledger.ts";

const help = `npm run conformance:ledger [-- options]

  --url <address>        the service under test (default http://127.0.0.1:4020)
  --chain <id>           chain id of the domain that requests are signed in (default 31337)
  --operator-key <key>   who issues, suspends and sets limits; also BURSAR_OPERATOR_KEY
                         (default: the development mnemonic's first account)
  --json                 one JSON object as the last line

Opens accounts of its own and leaves them behind. Exit code 1 when an invariant does not hold.`;

const values = readCommand(help, {
  url: { type: "string", default: "http://127.0.0.1:4020" },
  chain: { type: "string", default: "31337" },
  "operator-key": { type: "string", default: process.env.BURSAR_OPERATOR_KEY ?? "" },
  json: { type: "boolean", default: false },
});

const context = new Context(values.url, Number(values.chain), operator(values["operator-key"]));
const outcomes: { id: string; rule: string; holds: boolean; why: string | null }[] = [];
for (const { id, rule, check } of invariants) {
  const why = await check(context).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  outcomes.push({ id, rule, holds: why === null, why });
  console.log(`${why === null ? "✔" : "✘"} ${id.padEnd(4)} ${rule}${why === null ? "" : `\n       ${why}`}`);
}
const broken = outcomes.filter(({ holds }) => !holds).length;
console.log(`\n${outcomes.length - broken} of ${outcomes.length} hold`);
if (values.json) console.log(JSON.stringify({ url: values.url, broken, outcomes }));
process.exitCode = broken === 0 ? 0 : 1;

function operator(key: string): PrivateKeyAccount | HDAccount {
  return key
    ? privateKeyToAccount(key as `0x${string}`)
    : mnemonicToAccount("test test test test test test test test test test test junk");
}
