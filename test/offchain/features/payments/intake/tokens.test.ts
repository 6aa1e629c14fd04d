import { HttpRequestError, numberToHex, RpcRequestError } from "viem";
import { expect, test } from "vitest";
import { TokenCheck } from "#offchain/features/payments/intake/tokens.ts";
import { ChannelTokens } from "#offchain/features/payments/rules/tokens.ts";

const [usdc, avt] = [`0x${"1".repeat(40)}`, `0x${"2".repeat(40)}`] as const;
const tokens = new ChannelTokens({ address: usdc, minAmount: 1n }, [
  { unit: "AVT", address: avt, minAmount: null },
]);
const inAvt = tokens.all[1] ?? tokens.all[0];
const word = (value: bigint) => numberToHex(value, { size: 32 });
const unreachable = () => new HttpRequestError({ url: "http://nowhere" });

function checking(answers: {
  decimals: () => Promise<`0x${string}` | undefined>;
  chainId?: number;
  booked?: Set<"AVT">;
}) {
  const asked: unknown[] = [];
  const warned: string[] = [];
  const check = new TokenCheck({
    chainId: 1,
    tokens,
    booked: answers.booked ?? new Set(),
    log: {
      warn: (_: unknown, message: string) => warned.push(message),
      error: (_: unknown, message: string) => warned.push(message),
    } as never,
    reader: {
      getChainId: async () => answers.chainId ?? 1,
      call: async ({ to }: { to: unknown }) => {
        asked.push(to);
        return { data: await answers.decimals() };
      },
    } as never,
  });
  return { check, asked, warned };
}

test("a token that counts as its unit does is asked once, and USDC never", async () => {
  const { check, asked } = checking({ decimals: async () => word(18n) });
  await check.atStart();
  for (const token of tokens.all) await check.confirm(token);
  expect(asked).toEqual([avt]);
});

test.each([
  ["other decimals", async () => word(6n), "the token says 6"],
  ["no decimals", async () => undefined, "it does not say how many"],
  ["more than a byte", async () => word(274n), "it does not say how many"],
  ["half a word", async () => "0x12" as const, "it does not say how many"],
  [
    "a revert",
    async () => {
      throw new RpcRequestError({ body: {}, url: "", error: { code: 3, message: "execution reverted" } });
    },
    "it does not say how many",
  ],
])("a token with %s is refused, and what to do is said", async (_, decimals, words) => {
  const { check } = checking({ decimals });
  await expect(check.atStart()).rejects.toMatchObject({
    code: "TOKEN_MISMATCH",
    message: expect.stringContaining(`AVT has 18 decimals, but ${words}: correct the address or the unit`),
    facts: { token: avt, unit: "AVT", decimals: 18 },
    fields: [{ field: "BURSAR_CHANNEL_TOKENS" }],
  });
});

test("a chain that does not answer says nothing about its tokens, and they are asked before they are taken", async () => {
  let answer = async (): Promise<`0x${string}`> => {
    throw unreachable();
  };
  const { check, asked, warned } = checking({ decimals: () => answer() });
  await check.atStart();
  expect(warned).toHaveLength(1);
  await expect(check.confirm(inAvt as never)).rejects.toMatchObject({ code: "CHAIN_UNAVAILABLE" });
  answer = async () => word(8n);
  await expect(check.confirm(inAvt as never)).rejects.toMatchObject({ code: "TOKEN_MISMATCH" });
  answer = async () => word(18n);
  await check.confirm(inAvt as never);
  await check.confirm(inAvt as never);
  expect(asked).toHaveLength(4);
});

test("another chain's answer is not asked for", async () => {
  const { check, asked } = checking({ decimals: async () => word(6n), chainId: 5 });
  await check.atStart();
  expect(asked).toEqual([]);
});

test("a token that changes its mind stops nothing that is in the books, and gets no further channel", async () => {
  const { check, warned } = checking({ decimals: async () => word(6n), booked: new Set(["AVT"]) });
  await check.atStart();
  expect(await check.takes(inAvt as never)).toBe(false);
  await expect(check.confirm(inAvt as never)).rejects.toMatchObject({ code: "TOKEN_MISMATCH" });
  expect(warned[0]).toContain("no channel in it is taken in");
});
