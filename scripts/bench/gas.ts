// Gas of what users call, through real transactions, beside its peers.   npm run bench:gas [-- --json]
import { parseArgs } from "node:util";
import { channelGas } from "./channels.ts";
import { connect } from "./connection.ts";
import { safeGas } from "./safe.ts";
import { serviceGas } from "./services.ts";
import { treasuryGas } from "./treasury.ts";

const help = `npm run bench:gas [-- --json]

Deploys the contracts (via-IR build) on a fresh chain and prints the gas of whole transactions: base fee of 21,000,
calldata and refunds included. With --json the last line is one JSON object.`;

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
});

if (values.help) console.log(help);
else await main();

async function main(): Promise<void> {
  const treasury = await treasuryGas(await connect());
  const channels = await channelGas(await connect());
  const services = await serviceGas(await connect());
  const peers = await safeGas(await connect());
  const report = {
    microPayment: {
      cleared: channels.cleared,
      direct: channels.direct,
      directToOnePayee: channels.directToOnePayee,
      erc20Transfer: channels.erc20Transfer,
      eip3009Transfer: channels.eip3009Transfer,
    },
    treasury: {
      quorumPayment: Number(treasury["quorum of 2, two signatures"]),
      fastPath: Number(treasury["pay, a day later"]),
      peerQuorumPayment: Number(peers["Safe 1.4.1: 2-of-3 ERC-20 payment"]),
    },
    calls: numbers({ ...treasury, ...channels.calls, ...services }),
    peers: numbers(peers),
  };
  console.log(
    "\nGas per micropayment: 10,000 payments among 100 payers and 100 payees, 100 payments a voucher",
  );
  console.table(report.microPayment);
  console.log("Gas of calls");
  console.table({ ...report.calls, ...report.peers });
  if (values.json) console.log(JSON.stringify(report));
}

function numbers(figures: Record<string, bigint>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, gas]) => [name, Number(gas)]));
}
