import type { PaymentPayload } from "@x402/core/types";
import { zeroAddress } from "viem";
import { chainId, domain, pay, requestOf, requirementsFor, type X402Chain } from "../../../support/x402.ts";

type Case = readonly [
  code: string,
  make: () => Promise<{ x402Version?: unknown; paymentPayload?: unknown; paymentRequirements?: unknown }>,
];

export const authorizationOf = (payment: PaymentPayload) =>
  payment.payload as { authorization: Record<string, string>; signature: string };

export const transferTypes = {
  TransferWithAuthorization: [
    { name: "from", type: "address" },
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "validAfter", type: "uint256" },
    { name: "validBefore", type: "uint256" },
    { name: "nonce", type: "bytes32" },
  ],
} as const;

/** A payer's signature over an authorization that may be a bad one. */
export async function sign(
  { usdc }: X402Chain,
  account: Awaited<ReturnType<X402Chain["payer"]>>,
  message: Record<string, string>,
) {
  return account.signTypedData({
    domain: { ...domain, chainId, verifyingContract: usdc },
    types: transferTypes,
    primaryType: "TransferWithAuthorization",
    message: message as never,
  });
}

/** A payment that is as it should be, and one for each way in which it may not be, with the code that this gives. */
export function badPayments(chain: () => X402Chain) {
  const good = async () => {
    const requirements = requirementsFor(chain().usdc);
    return { requirements, payment: await pay(await chain().payer(), requirements) };
  };
  const changed = async (change: Record<string, string>, isSigned = true) => {
    const account = await chain().payer();
    const requirements = requirementsFor(chain().usdc);
    const payment = await pay(account, requirements);
    const before = authorizationOf(payment);
    const authorization = { ...before.authorization, ...change };
    const signature = isSigned ? await sign(chain(), account, authorization) : before.signature;
    return requestOf({ ...payment, payload: { authorization, signature } }, requirements);
  };
  const cases: readonly Case[] = [
    ["invalid_x402_version", async () => ({ ...requestOf({}, {}), x402Version: 3 })],
    ["invalid_payload", async () => requestOf("?", requirementsFor(chain().usdc))],
    ["invalid_payload", () => changed({ value: "-1" }, false)],
    ["invalid_payment_requirements", async () => requestOf((await good()).payment, { scheme: "exact" })],
    [
      "invalid_payment_requirements",
      async () => requestOf((await good()).payment, { ...requirementsFor(chain().usdc), asset: zeroAddress }),
    ],
    [
      "invalid_network",
      async () =>
        requestOf((await good()).payment, { ...requirementsFor(chain().usdc), network: "eip155:1" }),
    ],
    [
      "unsupported_scheme",
      async () => requestOf((await good()).payment, { ...requirementsFor(chain().usdc), scheme: "upto" }),
    ],
    [
      "invalid_scheme",
      async () => {
        const { payment, requirements } = await good();
        return requestOf(
          { ...payment, accepted: { ...requirements, scheme: "batch-settlement" } },
          requirements,
        );
      },
    ],
    [
      "unsupported_payload_type",
      async () => {
        const { payment, requirements } = await good();
        return requestOf(
          { ...payment, payload: { permit2Authorization: {}, signature: "0x" } },
          requirements,
        );
      },
    ],
    ["invalid_exact_evm_payload_signature", () => changed({ validAfter: "1" }, false)],
    ["invalid_exact_evm_payload_recipient_mismatch", () => changed({ to: zeroAddress })],
    ["invalid_exact_evm_payload_authorization_value_mismatch", () => changed({ value: "999" })],
    ["invalid_exact_evm_payload_authorization_valid_before", () => changed({ validBefore: "1" })],
    [
      "invalid_exact_evm_payload_authorization_valid_after",
      () => changed({ validAfter: `${2 ** 40}`, validBefore: `${2 ** 41}` }),
    ],
    [
      "insufficient_funds",
      async () => {
        const requirements = requirementsFor(chain().usdc);
        return requestOf(await pay(await chain().payer(0n), requirements), requirements);
      },
    ],
  ];
  return { good, cases };
}
