import { HTTPFacilitatorClient } from "@x402/core/server";
import { hashTypedData } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testUsdcAbi } from "#contracts";
import { ended, spawnChild } from "../../../support/child.ts";
import { until } from "../../../support/node.ts";
import { mint } from "../../../support/token.ts";
import {
  asTreasury,
  chainId,
  contractPayment,
  domain,
  network,
  openX402Door,
  operator,
  pay,
  requestOf,
  requirementsFor,
  seller,
  startFacilitator,
  startX402Chain,
  type X402Chain,
} from "../../../support/x402.ts";
import { authorizationOf, badPayments, sign, transferTypes } from "./badPayments.ts";

let chain: X402Chain;
let service: Awaited<ReturnType<typeof startFacilitator>>;
let door: Awaited<ReturnType<typeof openX402Door>>;
let official: HTTPFacilitatorClient;

beforeAll(async () => {
  chain = await startX402Chain();
  service = await startFacilitator(chain);
  door = await openX402Door({ x402: service.facilitator });
  official = new HTTPFacilitatorClient({ url: `${door.url}/x402` });
});
afterAll(async () => {
  await door?.close();
  await service?.stop();
  await chain?.stop();
});

/** The door before the facilitator that now runs. */
async function reopen() {
  await door.close();
  door = await openX402Door({ x402: service.facilitator });
  official = new HTTPFacilitatorClient({ url: `${door.url}/x402` });
}

const paid = async (run: () => Promise<unknown>): Promise<bigint> => {
  const before = await chain.balanceOf(seller);
  await run();
  return (await chain.balanceOf(seller)) - before;
};

describe("the official facilitator client through our service", () => {
  test("is told what is supported", async () => {
    expect(await official.getSupported()).toEqual({
      kinds: [
        { x402Version: 2, scheme: "exact", network },
        { x402Version: 2, scheme: "batch-settlement", network },
        { x402Version: 1, scheme: "exact", network: "hardhat" },
        { x402Version: 1, scheme: "exact", network: "localhost" },
      ],
      extensions: [],
      signers: { "eip155:*": [operator.address] },
    });
  });

  test("verifies and settles an exact payment, and a retry has the same answer and pays nothing more", async () => {
    const account = await chain.payer();
    const requirements = requirementsFor(chain.usdc);
    const payment = await pay(account, requirements);
    expect(await official.verify(payment, requirements)).toMatchObject({
      isValid: true,
      payer: account.address,
    });
    const first = await official.settle(payment, requirements);
    expect(first).toMatchObject({ success: true, network, payer: account.address });
    expect(first.transaction).toMatch(/^0x[0-9a-f]{64}$/);
    expect(await paid(async () => expect(await official.settle(payment, requirements)).toEqual(first))).toBe(
      0n,
    );
  });

  test("settles twenty parallel payments of one payer and of twenty payers", async () => {
    const requirements = requirementsFor(chain.usdc);
    const one = await chain.payer();
    const many = [];
    for (let count = 0; count < 20; count += 1) many.push(await chain.payer());
    for (const payers of [Array.from({ length: 20 }, () => one), many]) {
      const payments = await Promise.all(payers.map((payer) => pay(payer, requirements)));
      const sum = await paid(async () => {
        const answers = await Promise.all(payments.map((each) => official.settle(each, requirements)));
        expect(answers.filter(({ success }) => success)).toHaveLength(20);
        expect(new Set(answers.map(({ transaction }) => transaction)).size).toBe(20);
      });
      expect(sum).toBe(20_000n);
    }
  });

  test("pays once when the same payment is settled ten times at once, by two instances", async () => {
    const second = await startFacilitator(chain);
    const requirements = requirementsFor(chain.usdc);
    const request = requestOf(await pay(await chain.payer(), requirements), requirements);
    const sum = await paid(async () => {
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, at) => (at % 2 ? service : second).facilitator.settle(request)),
      );
      expect(new Set(answers.map((each) => JSON.stringify(each))).size).toBe(1);
      expect(answers[0]).toMatchObject({ success: true });
    });
    expect(sum).toBe(1_000n);
    await second.stop();
  });
});

describe("a payer with money for one of two", () => {
  test("has one settled, and is told of its funds for the other", async () => {
    const account = await chain.payer(1_000n);
    const requirements = requirementsFor(chain.usdc);
    const payments = [await pay(account, requirements), await pay(account, requirements)];
    const sum = await paid(async () => {
      const answers = await Promise.all(payments.map((each) => official.settle(each, requirements)));
      expect(answers.filter(({ success }) => success)).toHaveLength(1);
      expect(answers.find(({ success }) => !success)).toMatchObject({ errorReason: "insufficient_funds" });
    });
    expect(sum).toBe(1_000n);
  });
});

test("a payment that costs more gas to settle than is paid for is refused, and may be settled where more is", async () => {
  const mean = await startFacilitator(chain, { gasMax: 50_000n });
  const requirements = requirementsFor(chain.usdc);
  const request = requestOf(await pay(await chain.payer(), requirements), requirements);
  const sum = await paid(async () => {
    expect((await mean.facilitator.settle(request)).success).toBe(false);
    expect((await official.settle(request.paymentPayload as never, requirements)).success).toBe(true);
  });
  expect(sum).toBe(1_000n);
  await mean.stop();
});

describe("a block that does not come", () => {
  test("is answered settlement_pending with the transaction, and reconciled without a second payment", async () => {
    const impatient = await startFacilitator(chain, { settleTimeoutMs: 300 });
    const requirements = requirementsFor(chain.usdc);
    const request = requestOf(await pay(await chain.payer(), requirements), requirements);
    await chain.node.client.setAutomine(false);
    const sum = await paid(async () => {
      const pending = await impatient.facilitator.settle(request);
      expect(pending).toMatchObject({
        success: false,
        errorReason: "settlement_pending",
        extra: { explain: { about: "settlement", remedy: "retry" } },
      });
      const again = await until(
        () => impatient.facilitator.settle(request),
        ({ transaction }) => transaction !== "",
      );
      expect(again.errorReason).toBe("settlement_pending");
      await chain.node.client.setAutomine(true);
      await chain.node.client.mine({ blocks: 1 });
      const done = await until(
        () => impatient.facilitator.settle(request),
        ({ success }) => success,
      );
      expect(done.transaction).toBe(again.transaction);
    });
    expect(sum).toBe(1_000n);
    await impatient.stop();
  });

  test("is settled by another instance after the first was stopped in between", async () => {
    const requirements = requirementsFor(chain.usdc);
    const request = requestOf(await pay(await chain.payer(), requirements), requirements);
    // Stores the payment and never sends: as a process that dies right after its commit.
    await service.stop();
    const dead = await startFacilitator(chain, { isSending: false, settleTimeoutMs: 50 });
    const sum = await paid(async () => {
      expect(await dead.facilitator.settle(request)).toMatchObject({ errorReason: "settlement_pending" });
      service = await startFacilitator(chain);
      expect(await service.facilitator.settle(request)).toMatchObject({ success: true });
    });
    expect(sum).toBe(1_000n);
    await reopen();
  });
});

test("a settled payment whose block is reorganised away is sent again, and paid once", async () => {
  const requirements = requirementsFor(chain.usdc);
  const request = requestOf(await pay(await chain.payer(), requirements), requirements);
  const before = await chain.balanceOf(seller);
  const snapshot = await chain.node.client.snapshot();
  const first = await service.facilitator.settle(request);
  expect(first).toMatchObject({ success: true });
  await chain.node.client.revert({ id: snapshot });
  await chain.node.client.mine({ blocks: 1 });
  await until(
    () => chain.balanceOf(seller),
    (balance) => balance === before + 1_000n,
  );
  expect(await service.facilitator.settle(request)).toEqual(first);
  expect(await chain.balanceOf(seller)).toBe(before + 1_000n);
});

describe("a process that is killed at the broadcast", () => {
  test.each(["before", "after"] as const)("%s it: the next one settles the payment, once", async (killed) => {
    await service.stop();
    const requirements = requirementsFor(chain.usdc);
    const request = requestOf(await pay(await chain.payer(), requirements), requirements);
    const { usdc: token, treasury, node, database } = chain;
    const sum = await paid(async () => {
      const child = spawnChild("x402.child.ts", {
        rpcUrl: node.url,
        connection: database.connection,
        token,
        treasury,
        killed,
        request,
      });
      expect(await ended(child)).toBe("SIGKILL");
      service = await startFacilitator(chain);
      const first = await service.facilitator.settle(request);
      expect(first).toMatchObject({ success: true });
      expect(await service.facilitator.settle(request)).toEqual(first);
    });
    expect(sum).toBe(1_000n);
    await reopen();
  });
});

describe("a refused payment explains itself", () => {
  test("by its nonce, once it is used", async () => {
    const requirements = requirementsFor(chain.usdc);
    const payment = await pay(await chain.payer(), requirements);
    await official.settle(payment, requirements);
    expect(await official.verify(payment, requirements)).toMatchObject({
      isValid: false,
      invalidReason: "invalid_exact_evm_nonce_already_used",
      extra: { explain: { about: "nonce", facts: { nonce: authorizationOf(payment).authorization.nonce } } },
    });
  });

  test("by its nonce, when it stands on another payment", async () => {
    const account = await chain.payer();
    const requirements = requirementsFor(chain.usdc);
    const payment = await pay(account, requirements);
    await official.settle(payment, requirements);
    const dearer = requirementsFor(chain.usdc, 2_000n);
    const { authorization } = authorizationOf(payment);
    const message = { ...authorization, value: "2000" };
    const signature = await sign(chain, account, message);
    const other = { ...payment, accepted: dearer, payload: { authorization: message, signature } };
    expect(await service.facilitator.settle(requestOf(other, dearer))).toMatchObject({
      success: false,
      errorReason: "invalid_exact_evm_nonce_already_used",
      extra: { explain: { about: "nonce" } },
    });
  });

  test("by its funds, and settles once they have come", async () => {
    const account = await chain.payer(0n);
    const requirements = requirementsFor(chain.usdc);
    const payment = await pay(account, requirements);
    expect(await official.settle(payment, requirements)).toMatchObject({
      success: false,
      errorReason: "insufficient_funds",
      extra: { explain: { about: "funds", facts: { needed: "1000", balance: "0" } } },
    });
    await mint(chain.node, chain.usdc, [[account.address, 1_000n]]);
    expect(await official.settle(payment, requirements)).toMatchObject({ success: true });
  });

  test("by its expiry", async () => {
    const requirements = { ...requirementsFor(chain.usdc), maxTimeoutSeconds: 0 };
    const payment = await pay(await chain.payer(), requirements);
    expect(await official.verify(payment, requirements)).toMatchObject({
      invalidReason: "invalid_exact_evm_payload_authorization_valid_before",
      extra: { explain: { about: "expiry", remedy: "fix" } },
    });
  });

  test("by the token's policy, for a blocked payer", async () => {
    const account = await chain.payer();
    const { client } = chain.node;
    const hash = await client.writeContract({
      address: chain.usdc,
      abi: testUsdcAbi,
      functionName: "blocklist",
      args: [account.address],
    });
    await client.waitForTransactionReceipt({ hash });
    const requirements = requirementsFor(chain.usdc);
    expect(await official.verify(await pay(account, requirements), requirements)).toMatchObject({
      isValid: false,
      extra: { explain: { about: "policy", remedy: "ask" } },
    });
  });
});

describe("the Treasury as payer, by ERC-1271", () => {
  const digest = (message: ReturnType<typeof contractPayment>["message"]) =>
    hashTypedData({
      domain: { ...domain, chainId, verifyingContract: chain.usdc },
      types: transferTypes,
      primaryType: "TransferWithAuthorization",
      message,
    });

  test("is refused by its policy while the payment is not recorded, and paid once it is", async () => {
    await mint(chain.node, chain.usdc, [[chain.treasury, 1_000_000n]]);
    const requirements = requirementsFor(chain.usdc);
    const { message, payload } = contractPayment(chain.treasury, requirements);
    expect(await official.verify(payload, requirements)).toMatchObject({
      invalidReason: "invalid_exact_evm_payload_signature",
      extra: { explain: { about: "policy", facts: { hash: digest(message), recorded: "no" } } },
    });
    await asTreasury(chain, "authorizeHash", [digest(message), message.validBefore]);
    expect(await official.verify(payload, requirements)).toMatchObject({
      isValid: true,
      payer: chain.treasury,
    });
    const sum = await paid(async () =>
      expect(await official.settle(payload, requirements)).toMatchObject({
        success: true,
        payer: chain.treasury,
      }),
    );
    expect(sum).toBe(1_000n);
  });
});

describe("version 1", () => {
  test("verifies and settles under the network's name", async () => {
    const requirements = requirementsFor(chain.usdc);
    const { payload } = await pay(await chain.payer(), requirements);
    const request = {
      x402Version: 1,
      paymentPayload: { x402Version: 1, scheme: "exact", network: "hardhat", payload },
      paymentRequirements: {
        ...requirements,
        network: "hardhat",
        maxAmountRequired: requirements.amount,
        resource: "http://shop.test/",
        description: "",
        mimeType: "",
      },
    };
    expect(await service.facilitator.verify(request)).toMatchObject({ isValid: true });
    expect(await service.facilitator.settle(request)).toMatchObject({ success: true, network: "hardhat" });
  });
});

describe("every error code of the specification", () => {
  const { good, cases } = badPayments(() => chain);
  test.each(cases)("%s is what verify and settle answer, in words", async (code, make) => {
    const request = await make();
    const verified = await service.facilitator.verify(request);
    expect(verified).toMatchObject({ isValid: false, invalidReason: code });
    expect(verified.extra?.explain?.message.length).toBeGreaterThan(10);
    const before = await chain.balanceOf(seller);
    expect(await service.facilitator.settle(request)).toMatchObject({
      success: false,
      errorReason: code,
      transaction: "",
    });
    expect(await chain.balanceOf(seller)).toBe(before);
  });

  test("invalid_payment_requirements is what a payee has who is not served", async () => {
    const choosy = await startFacilitator(chain, { isSending: false, payees: [operator.address] });
    const { payment, requirements } = await good();
    expect(await choosy.facilitator.verify(requestOf(payment, requirements))).toMatchObject({
      invalidReason: "invalid_payment_requirements",
      extra: { explain: { facts: { field: "payTo", payTo: seller, supported: operator.address } } },
    });
  });

  test("unexpected_verify_error and unexpected_settle_error are what an unreachable chain gives", async () => {
    const { payment, requirements } = await good();
    const lost = await startFacilitator(
      { ...chain, node: { ...chain.node, url: "http://127.0.0.1:9" } },
      { isSending: false },
    );
    const request = requestOf(payment, requirements);
    expect(await lost.facilitator.verify(request)).toMatchObject({
      isValid: false,
      invalidReason: "unexpected_verify_error",
      extra: { explain: { about: "service", remedy: "retry" } },
    });
    expect(await lost.facilitator.settle(request)).toMatchObject({
      success: false,
      errorReason: "unexpected_settle_error",
      transaction: "",
    });
    expect(await service.facilitator.settle(request)).toMatchObject({ success: true });
  });
});
