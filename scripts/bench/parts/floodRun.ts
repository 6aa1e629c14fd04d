// One worker of bench:flood: burdens the service in one way until it is told to stop, then says how much it did.
import { randomBytes } from "node:crypto";
import { get, type IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { toHex } from "viem";
import { signSpend } from "#offchain/sdk/treasury/treasury.ts";
import { chainId, contracts } from "../../soak/wallets.ts";
import { accountOf } from "./agents.ts";
import { send } from "./load.ts";

/** `spends`: valid ones and wrongly signed ones by turns; `readers`: of event streams, who hardly read. */
export type FloodKind = "spends" | "forged" | "readers";

export interface FloodJob {
  readonly kind: FloodKind;
  readonly apiUrl: string;
  /** At once. */
  readonly callers: number;
  /** Whose vouchers are forged. */
  readonly channelId: `0x${string}`;
  /** The name of the agent that spends. */
  readonly spender: string;
}

/** What was sent: what the service took, and what it refused; of readers, how many had a stream. */
export interface FloodTally {
  accepted: number;
  refused: number;
}

const job = workerData as FloodJob;
const tally: FloodTally = { accepted: 0, refused: 0 };
/** A slow reader takes so much, so often. */
const [sipBytes, sipEveryMs] = [64, 500];
const spendValidSeconds = 3_600;
let isOver = false;

parentPort?.once("message", () => {
  isOver = true;
});
const floods: Record<FloodKind, () => Promise<unknown>> = {
  spends: () => everyCaller(spend),
  forged: () => everyCaller(forge),
  readers: () => Promise.all(Array.from({ length: job.callers }, (_, at) => sip(at))),
};
function everyCaller(call: (turn: number) => Promise<number>): Promise<unknown> {
  let turn = 0;
  const caller = async () => {
    while (!isOver) {
      const status = await call(turn++);
      if (status < 300) tally.accepted += 1;
      else tally.refused += 1;
    }
  };
  return Promise.all(Array.from({ length: job.callers }, caller));
}

const post = (path: string, body: object): Promise<number> =>
  send({ url: job.apiUrl + path, method: "POST", body: Buffer.from(JSON.stringify(body)) });

async function spend(turn: number): Promise<number> {
  const agent = accountOf(job.spender);
  const signer = turn % 2 === 0 ? agent : accountOf("nobody");
  const reference = toHex(randomBytes(32));
  const signed = await signSpend(
    { address: agent.address, signTypedData: (message) => signer.signTypedData(message) },
    { address: contracts.Treasury, chainId },
    {
      token: contracts.TestUSDC,
      to: accountOf("spends' payee").address,
      amount: 1n,
      reference,
      nonce: BigInt(reference),
      validBefore: BigInt(Math.floor(Date.now() / 1_000) + spendValidSeconds),
    },
  );
  return post("/api/v1/treasury/spends", signed);
}

/** A voucher of a channel that exists, for much, with a signature that is none of its payer's. */
function forge(): Promise<number> {
  const signature = toHex(
    Buffer.concat([randomBytes(32), Buffer.alloc(1), randomBytes(31), Buffer.from([27])]),
  );
  return post("/api/v1/payments", {
    key: `forged-${randomBytes(16).toString("hex")}`,
    channelId: job.channelId,
    network: `eip155:${chainId}`,
    maxClaimableAmount: "9000000",
    signature,
  });
}

/** Reads a stream so slowly that it is always behind: the feed of events from the first one on, or what happens now. */
async function sip(at: number): Promise<void> {
  const path = at % 2 === 0 ? "/api/v1/events/stream" : "/api/v1/stream";
  while (!isOver) {
    const answer = await new Promise<IncomingMessage | null>((resolve) => {
      get(job.apiUrl + path, { agent: false }, resolve).once("error", () => resolve(null));
    });
    if (answer?.statusCode === 200) tally.accepted += 1;
    else tally.refused += 1;
    answer?.on("error", () => {});
    while (!isOver && answer && !answer.destroyed) {
      answer.read(sipBytes);
      await delay(sipEveryMs);
    }
    answer?.destroy();
    await delay(sipEveryMs);
  }
}

await floods[job.kind]();
parentPort?.postMessage(tally);
