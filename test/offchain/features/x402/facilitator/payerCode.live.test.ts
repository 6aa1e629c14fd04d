import { type Address, getAddress, type Hex, serializeErc6492Signature } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Call } from "../../../support/callFaults.ts";
import { type FaultProxy, startFaultProxy } from "../../../support/faultProxy.ts";
import { mint } from "../../../support/token.ts";
import {
  contractPayment,
  pay,
  requestOf,
  requirementsFor,
  startFacilitator,
  startX402Chain,
  type X402Chain,
} from "../../../support/x402.ts";

/** Payers that are code: what they run is bounded, and what they do is told as theirs. */

let chain: X402Chain;
let proxy: FaultProxy;
let service: Awaited<ReturnType<typeof startFacilitator>>;
let heard: Call[] = [];

const gasMax = 500_000n;

beforeAll(async () => {
  chain = await startX402Chain();
  proxy = await startFaultProxy({ target: chain.node.url, seed: 1, heard: (call) => heard.push(call) });
  service = await startFacilitator({ ...chain, node: { ...chain.node, url: proxy.url } }, { gasMax });
});
afterAll(async () => {
  await service?.stop();
  await proxy?.stop();
  await chain?.stop();
});
beforeEach(() => {
  heard = [];
});

/** ERC-1271's yes. */
const yes = "631626ba7e60e01b5f5260205ff3";
const codes = {
  always: `0x${yes}`,
  never: "0x5f5f5ffd",
  garbage: "0x60205ff3",
  nothing: "0x00",
  /** Hashes 64 KiB again and again. */
  endless: "0x5b620100005f20505f56",
} as const;

async function payerOf(bytecode: Hex): Promise<Address> {
  const payer = getAddress(privateKeyToAccount(generatePrivateKey()).address);
  await chain.node.client.setCode({ address: payer, bytecode });
  await mint(chain.node, chain.usdc, [[payer, 1_000_000n]]);
  return payer;
}

async function paymentBy(bytecode: Hex) {
  const requirements = requirementsFor(chain.usdc);
  const { payload } = contractPayment(await payerOf(bytecode), requirements);
  return requestOf(payload, requirements);
}

/** What ran without a bound, or with a higher one than a settlement has, and reads of our own. */
const unbounded = () =>
  heard
    .filter(({ method }) => method === "eth_call" || method === "eth_estimateGas")
    .filter(({ params: [call] = [] }) => {
      const { gas } = call as { gas?: Hex };
      return gas === undefined || BigInt(gas) > 1_000_000n;
    });

test("code that never ends is told as what needs too much gas, and has little", async () => {
  const request = await paymentBy(codes.endless);
  const refusal = {
    about: "signature",
    message: expect.stringContaining("needs more gas"),
    facts: { gasMax: String(gasMax) },
  };
  expect(await service.facilitator.verify(request)).toMatchObject({
    isValid: false,
    invalidReason: "invalid_exact_evm_payload_signature",
    extra: { explain: refusal },
  });
  expect(await service.facilitator.settle(request)).toMatchObject({
    success: false,
    errorReason: "invalid_exact_evm_payload_signature",
    extra: { explain: refusal },
  });
  expect(heard.filter(({ method }) => method === "eth_call").length).toBeGreaterThan(2);
  expect(unbounded()).toEqual([]);
});

test.each(["never", "garbage", "nothing"] as const)(
  "code that says %s is told as the payer's",
  async (kind) => {
    expect(await service.facilitator.verify(await paymentBy(codes[kind]))).toMatchObject({
      isValid: false,
      invalidReason: "invalid_exact_evm_payload_signature",
      extra: { explain: { about: "policy", remedy: "ask" } },
    });
    expect(unbounded()).toEqual([]);
  },
);

test("code that says yes pays, and so does a key, all with bounded gas", async () => {
  const requirements = requirementsFor(chain.usdc);
  const byKey = requestOf(await pay(await chain.payer(), requirements), requirements);
  for (const request of [await paymentBy(codes.always), byKey]) {
    heard = [];
    expect(await service.facilitator.verify(request)).toMatchObject({ isValid: true });
    expect(await service.facilitator.settle(request)).toMatchObject({ success: true });
    expect(unbounded()).toEqual([]);
  }
});

test("an account that is not deployed yet is told so, and not as a channel", async () => {
  const requirements = requirementsFor(chain.usdc);
  const payment = await pay(await chain.payer(), requirements);
  const { signature } = payment.payload as { signature: Hex };
  const wrapped = serializeErc6492Signature({ address: chain.usdc, data: "0x1234", signature });
  const request = requestOf(
    { ...payment, payload: { ...payment.payload, signature: wrapped } },
    requirements,
  );
  expect(await service.facilitator.verify(request)).toMatchObject({
    isValid: false,
    invalidReason: "eip6492_factory_not_allowed",
    extra: { explain: { about: "signature", message: expect.stringContaining("ERC-6492"), remedy: "fix" } },
  });
});
