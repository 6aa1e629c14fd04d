import type { Address } from "viem";
import { expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { GuardedReader } from "#offchain/features/x402/facilitator/guardedReader.ts";
import type { Payment } from "#offchain/features/x402/facilitator/payment.ts";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import { UntrustedCode } from "#offchain/platform/chain/client/untrustedCode.ts";

const address = (digit: string) => `0x${digit.repeat(40)}` as Address;
const [operator, payer, key, nobody] = [address("a"), address("1"), address("2"), address("0")];

function open(kind: Payment["kind"], payload: object, { coded = [] as Address[], gasMax = 2_000_000n } = {}) {
  const asked = { codes: [] as Address[], gases: [] as bigint[], turns: 0 };
  const client = {
    async getCode({ address: account }: { address: Address }) {
      asked.codes.push(account);
      return coded.includes(account) ? "0x60" : undefined;
    },
  } as unknown as ChainReader;
  const untrustedCode = new UntrustedCode((gas) => {
    asked.gases.push(gas);
    return client;
  });
  const run = untrustedCode.run.bind(untrustedCode);
  untrustedCode.run = (gas, call) => {
    asked.turns += 1;
    return run(gas, call);
  };
  const payment = { kind, payload: { payload } } as unknown as Payment;
  return { asked, reader: new GuardedReader({ client, untrustedCode, gasMax }, payment, operator) };
}

const channel = { payer, payerAuthorizer: key, receiverAuthorizer: operator };

test.each<[string, Payment["kind"], object, Address[], Address[], boolean]>([
  ["a key's payment", "exact", { authorization: { from: payer } }, [], [payer], false],
  ["a payment of an account with code", "exact", { authorization: { from: payer } }, [payer], [payer], true],
  ["a key's voucher", "voucher", { channelConfig: channel }, [], [payer, key], false],
  ["a voucher whose authorizer is code", "voucher", { channelConfig: channel }, [key], [payer, key], true],
  [
    "a deposit without an authorizer",
    "deposit",
    { channelConfig: { ...channel, payerAuthorizer: nobody } },
    [payer],
    [payer],
    true,
  ],
  ["claims, whose payers are many", "claim", { claims: [{}] }, [], [], true],
  ["a payout", "settle", { receiver: payer, token: key }, [payer], [], false],
])(
  "%s is read with bounded gas, in turn where code may run",
  async (_, kind, payload, coded, looked, isInTurn) => {
    const { asked, reader } = open(kind, payload, { coded });
    await reader.ask(async () => {});
    await reader.ask(async () => {});
    expect(asked.codes, "looked at once").toEqual(looked);
    expect(asked.turns).toBe(isInTurn ? 2 : 0);
    expect(asked.gases).toEqual([2_000_000n]);
  },
);

test("reads of our own have enough gas, however little a settlement has", async () => {
  const { asked, reader } = open("exact", { authorization: { from: payer } }, { gasMax: 50_000n });
  await reader.ask(async () => {});
  expect(asked.gases).toEqual([1_000_000n]);
});

test("what could not be asked is kept; what code answers is not such a thing", async () => {
  const { reader } = open("exact", { authorization: { from: payer } });
  const overloaded = new BursarError("OVERLOADED", "too many wait");
  await expect(reader.ask(() => Promise.reject(new Error("reverted")))).rejects.toThrow("reverted");
  expect(reader.fault).toBeNull();
  await expect(reader.ask(() => Promise.reject(overloaded))).rejects.toBe(overloaded);
  expect(reader.fault).toBe(overloaded);
});
