import { concatHex, type Hex, numberToHex } from "viem";
import type { PrivateKeyAccount } from "viem/accounts";
import { clearingDomain, creditTypes } from "#offchain/features/clearing/messages.ts";
import { channelId } from "#offchain/sdk/paying/channel.ts";
import bursar from "../../ignition/modules/Bursar.ts";
import { type ChannelChain, channelOf } from "./channelCalls.ts";
import type { Connection } from "./connection.ts";

/** What the bench of channels needs of Clearing. */
export type ClearingStand = Awaited<ReturnType<typeof standClearing>>;

/** Gas of calls that do one thing together. */
export interface Calls {
  gas: bigint;
  /** Most of one call. */
  most: bigint;
  calls: number;
}

/** Rows of one call: 400 first credits take a little more than half of what a transaction may have. */
const rowsAtOnce = 400;
const payeesAtOnce = 100;
const challengeWindowSeconds = 86_400;
const exitWindowSeconds = 14 * 86_400;
const terms = { isListed: true, leastCredit: 10_000n, exitCap: 1_000_000n };

/** The deployed Clearing with its operator's bond in place, and the chain's own token listed. */
export async function standClearing({ viem, ignition, networkHelpers }: Connection, chain: ChannelChain) {
  const client = await viem.getPublicClient();
  const { clearing } = await ignition.deploy(bursar);
  const token = chain.usdc.address;
  await clearing.write.listToken([token, terms]);
  const totals = new Map<Hex, bigint>();
  let epoch = 0n;

  const gasOf = async (hash: Hex) => (await client.waitForTransactionReceipt({ hash })).gasUsed;
  const now = async () => Number((await client.getBlock()).timestamp);
  const passWindow = () => networkHelpers.time.increase(challengeWindowSeconds);

  /** Fills and seals the next epoch, which adds as much to each. */
  async function credit(payees: readonly Hex[], amount: bigint): Promise<Calls> {
    epoch += 1n;
    const sent: bigint[] = [];
    for (const { from, some } of groups(payees, rowsAtOnce)) {
      const rows = concatHex(some.map((payee) => rowOf(totals, payee, amount)));
      const isLast = from + some.length === payees.length;
      sent.push(await gasOf(await clearing.write.credit([token, epoch, BigInt(from), rows, isLast])));
    }
    return summed(sent);
  }

  async function payOut(payees: readonly Hex[]): Promise<Calls> {
    const sent: bigint[] = [];
    for (const { some } of groups(payees, payeesAtOnce))
      sent.push(await gasOf(await clearing.write.payOutAll([token, some])));
    return summed(sent);
  }

  /** The operator's receipt that ends so many seconds from now. */
  async function receipt(payee: Hex, cumulative: bigint, inSeconds: number) {
    const message = { token, payee, cumulative, epoch, office: 0, expiresAt: (await now()) + inSeconds };
    const domain = clearingDomain(chain.chainId, clearing.address);
    const typed = { domain, types: creditTypes, primaryType: "CreditReceipt", message } as const;
    return [message, await chain.operator.signTypedData(typed)] as const;
  }

  return {
    address: clearing.address,
    credit,
    passWindow,
    /** Credits, waits the challenge window out, and pays. */
    async clear(payees: readonly Hex[], amount: bigint) {
      const credited = await credit(payees, amount);
      await passWindow();
      return { credited, paid: await payOut(payees) };
    },
    /** An epoch that says nothing of the payee, and the receipt that contradicts it. */
    async challenge(payee: Hex, cumulative: bigint, other: Hex): Promise<bigint> {
      await credit([other], terms.leastCredit);
      const [said, signature] = await receipt(payee, cumulative, exitWindowSeconds + challengeWindowSeconds);
      return gasOf(await clearing.write.challenge([epoch, said, signature]));
    },
    async demand(payee: Hex, cumulative: bigint): Promise<bigint> {
      return gasOf(await clearing.write.demand(await receipt(payee, cumulative, challengeWindowSeconds)));
    },
    /** A payee's settled credit as the first deposit of a channel of its own. */
    async deposit({ address: payer, sign }: PrivateKeyAccount, amount: bigint): Promise<bigint> {
      await chain.settlement.write.settle([clearing.address, token]);
      const config = { ...channelOf(chain, 0, clearing.address).terms, payer, payerAuthorizer: payer };
      const deadline = BigInt((await now()) + challengeWindowSeconds);
      const id = channelId(config, chain.chainId);
      const digest = await clearing.read.depositDigest([token, id, amount, 1n, deadline]);
      const data = concatHex([word(1n), word(deadline), await sign({ hash: digest })]);
      return gasOf(await chain.settlement.write.deposit([config, amount, clearing.address, data]));
    },
  };
}

/** A payee's row, which says what it is credited in all. */
function rowOf(totals: Map<Hex, bigint>, payee: Hex, amount: bigint): Hex {
  const total = (totals.get(payee) ?? 0n) + amount;
  totals.set(payee, total);
  return concatHex([payee, numberToHex(total, { size: 12 })]);
}

const word = (value: bigint): Hex => numberToHex(value, { size: 32 });

const groups = <Item>(items: readonly Item[], size: number): { from: number; some: Item[] }[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, at) => ({
    from: at * size,
    some: items.slice(at * size, (at + 1) * size),
  }));

function summed(sent: readonly bigint[]): Calls {
  const [most = 0n] = sent.toSorted((one, other) => Number(other - one));
  return { gas: sent.reduce((sum, gas) => sum + gas, 0n), most, calls: sent.length };
}
