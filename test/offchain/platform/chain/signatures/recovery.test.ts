import { hexToBytes, keccak256, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, expect, it } from "vitest";
import { startRecovery } from "#offchain/platform/chain/signatures/recovery.ts";
import { addressOfKey, parseSignature, signDigest } from "#offchain/platform/chain/signatures/secp256k1.ts";

const recovery = startRecovery(2);
afterAll(() => recovery.close());

const keys = ["a", "b", "c"].map((name) => keccak256(toHex(name)));
const addresses = keys.map((key) => privateKeyToAccount(key).address);

async function question(text: string, key: `0x${string}` | undefined) {
  const digest = keccak256(toHex(text));
  const signature = parseSignature(await signDigest(digest, key ?? "0x"));
  if (!signature) throw new Error("a good signature was refused");
  return { digest: hexToBytes(digest), signature };
}

it("recovers each signer, whoever asks and in whatever company", async () => {
  const callers = await Promise.all(
    Array.from({ length: 40 }, (_, caller) =>
      Promise.all(Array.from({ length: caller % 7 }, (_, at) => question(`${caller}:${at}`, keys[at % 3]))),
    ),
  );
  const answers = await Promise.all(callers.map((questions) => recovery.recover(questions)));
  for (const [caller, answer] of answers.entries())
    expect(answer.map(addressOfKey)).toEqual(callers[caller]?.map((_, at) => addresses[at % 3]));
});

it("gives nobody for a signature that no key can have made, and goes on", async () => {
  const good = await question("good", keys[0]);
  const bad = { digest: good.digest, signature: new Uint8Array(65).fill(0x55) };
  const [first, second, third] = await recovery.recover([good, bad, good]);
  expect([first, second, third].map((key) => key && addressOfKey(key))).toEqual([
    addresses[0],
    null,
    addresses[0],
  ]);
});

it("tells whoever waits when its threads end", async () => {
  const short = startRecovery(1);
  const waiting = expect(short.recover([await question("late", keys[0])])).rejects.toThrow("ended");
  await short.close();
  await waiting;
});

it("replaces a thread that died: its question fails, the next one is answered", async () => {
  const frail = startRecovery(1, new URL("../../../support/frailThread.ts", import.meta.url));
  const good = await question("good", keys[0]);
  const deadly = { ...good, digest: hexToBytes(`0xdead${"00".repeat(30)}`) };
  await expect(frail.recover([deadly])).rejects.toThrow("ended");
  expect((await frail.recover([good])).map(addressOfKey)).toEqual([addresses[0]]);
  await frail.close();
});

it("lets a few questions overtake another's thousands, and answers both in their order", async () => {
  const one = startRecovery(1);
  const [good, other] = [await question("good", keys[0]), await question("other", keys[1])];
  const order: string[] = [];
  const crowd = Array.from({ length: 8 }, async () => {
    const answer = await one.recover([...Array(2_000).fill(good), other]);
    order.push("thousands");
    expect(answer).toHaveLength(2_001);
    expect(answer.slice(-2).map(addressOfKey)).toEqual([addresses[0], addresses[1]]);
  });
  const few = one.recover([other]).then((answer) => {
    order.push("few");
    expect(answer.map(addressOfKey)).toEqual([addresses[1]]);
  });
  await Promise.all([...crowd, few]);
  expect(order[0]).toBe("few");
  await one.close();
});
