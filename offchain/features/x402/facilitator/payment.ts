import type { PaymentPayload, PaymentRequirements } from "@x402/core/types";
import { EVM_NETWORK_CHAIN_ID_MAP } from "@x402/evm/v1";
import { type Address, getAddress, type Hex, isAddress, isHex, keccak256, stringToHex, toHex } from "viem";
import { z } from "zod";
import { contractForm, parseSignature } from "#offchain/platform/chain/signatures/secp256k1.ts";
import { answersForItself } from "../contract.ts";
import type { Explanation, X402Request } from "../service.ts";
import { explanationOf } from "./explain.ts";

/** What this facilitator settles. */
export interface FacilitatorTerms {
  readonly chainId: number;
  /** The one token whose gas is paid for. */
  readonly usdc: Address;
  /** Whose payments the gas is spent on; empty: anybody's. */
  readonly payees: readonly Address[];
}

/** A payment as the official package takes it, and what makes it one payment. */
export interface Payment {
  readonly payload: PaymentPayload;
  readonly requirements: PaymentRequirements;
  /** How the sender writes the network; version 1 has names. */
  readonly network: string;
  readonly kind: "exact" | "deposit" | "voucher" | "refund" | "claim" | "settle";
  readonly payer: Address | undefined;
  /** What the chain lets happen once. */
  readonly key: Hex;
  readonly content: Hex;
}

/** A payment that cannot even be judged. */
export interface Unreadable {
  readonly reason: string;
  readonly network: string;
  readonly explain: Explanation;
}

/** The official package's code for a channel in another token than the price. */
const tokenMismatch = "invalid_batch_settlement_evm_token_mismatch";

/** The official package's code for a voucher that its key did not sign. */
export const voucherSignature = "invalid_batch_settlement_evm_voucher_signature";

/** Claims that one settlement may carry. */
const claimsMax = 100;

const address = z.custom<Address>(
  (text) => typeof text === "string" && isAddress(text, { strict: false }),
  "must be an address",
);
const hex = z.custom<Hex>(
  (text) => isHex(text) && text.length <= 16_386 && text.length % 2 === 0,
  "must be bytes in hexadecimal, 8,192 at the most",
);
const bytes32 = hex.refine((text) => text.length === 66, "must be 32 bytes in hexadecimal");
const digits = /^(0|[1-9]\d{0,77})$/;
const uint = (bits: number) =>
  z
    .string()
    .refine(
      (text) => digits.test(text) && BigInt(text) < 1n << BigInt(bits),
      `must be a whole number in decimal digits, below 2^${bits}`,
    );

const requirementsSchema = z.object({
  scheme: z.string().min(1).max(64),
  network: z.string().min(1).max(64),
  asset: address,
  amount: uint(256),
  payTo: address,
  maxTimeoutSeconds: z.number().nonnegative(),
  extra: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((extra) => extra ?? {}),
});

const authorizationSchema = z.object({
  authorization: z.object({
    from: address,
    to: address,
    value: uint(256),
    validAfter: uint(256),
    validBefore: uint(256),
    nonce: bytes32,
  }),
  signature: hex,
});

const channelSchema = z.object({
  payer: address,
  payerAuthorizer: address,
  receiver: address,
  receiverAuthorizer: address,
  token: address,
  withdrawDelay: z
    .number()
    .int()
    .min(0)
    .max(2 ** 40 - 1),
  salt: bytes32,
});
const voucherSchema = z.object({ channelId: bytes32, maxClaimableAmount: uint(128), signature: hex });
const claimsSchema = z
  .array(
    z.object({
      voucher: z.object({ channel: channelSchema, maxClaimableAmount: uint(128) }),
      signature: hex,
      totalClaimed: uint(128),
    }),
  )
  .max(claimsMax);

const batchSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("deposit"),
    channelConfig: channelSchema,
    voucher: voucherSchema,
    deposit: z.object({
      amount: uint(128),
      authorization: z.object({
        erc3009Authorization: z.object({
          validAfter: uint(256),
          validBefore: uint(256),
          salt: hex,
          signature: hex,
        }),
      }),
    }),
  }),
  z.object({ type: z.literal("voucher"), channelConfig: channelSchema, voucher: voucherSchema }),
  z.object({
    type: z.literal("refund"),
    channelConfig: channelSchema,
    voucher: voucherSchema,
    amount: uint(128).optional(),
    refundNonce: uint(256).optional(),
    claims: claimsSchema.optional(),
    refundAuthorizerSignature: hex.optional(),
    claimAuthorizerSignature: hex.optional(),
  }),
  z.object({
    type: z.literal("claim"),
    claims: claimsSchema.min(1),
    claimAuthorizerSignature: hex.optional(),
  }),
  z.object({ type: z.literal("settle"), receiver: address, token: address }),
]);

/** Names of networks that version 1 used for this chain; the local chain has none in the official list. */
export function networkNamesOf(chainId: number): readonly string[] {
  const official = Object.entries(EVM_NETWORK_CHAIN_ID_MAP)
    .filter(([, id]) => Number(id) === chainId)
    .map(([name]) => name);
  return chainId === 31_337 ? [...official, "hardhat", "localhost"] : official;
}

/**
 * Reads what was sent into a payment that the official schemes may judge. Nothing in it is believed yet, but every
 * field has its form, so that no odd value reaches a scheme.
 */
export function readPayment(request: X402Request, terms: FacilitatorTerms): Payment | Unreadable {
  const sent = asRecord(request.paymentPayload);
  const version = request.x402Version ?? sent?.x402Version;
  const sentNetwork = networkIn(request);
  const refuse = (reason: string, facts: Record<string, string>, path?: string): Unreadable => ({
    reason,
    network: sentNetwork,
    explain: explanationOf(reason, path === undefined ? facts : { ...facts, field: path }),
  });
  if (version !== 1 && version !== 2)
    return refuse("invalid_x402_version", { got: shown(version), supported: "1, 2" });
  if (!sent) return refuse("invalid_payload", { got: shown(request.paymentPayload) }, "paymentPayload");
  if (sent.x402Version !== undefined && sent.x402Version !== version)
    return refuse("invalid_x402_version", { got: shown(sent.x402Version), supported: String(version) });

  const wanted = requirementsSchema.safeParse(fromV1(request.paymentRequirements, version));
  if (!wanted.success) return refuse("invalid_payment_requirements", issueOf(wanted.error));
  const accepted =
    version === 1 ? { ...wanted.data, ...pick(sent, "scheme", "network") } : asRecord(sent.accepted);
  const chosen = requirementsSchema.safeParse(accepted);
  if (!chosen.success) return refuse("invalid_payload", issueOf(chosen.error, "accepted"));

  const network = `eip155:${terms.chainId}` as const;
  const names = new Set<string>(version === 1 ? [network, ...networkNamesOf(terms.chainId)] : [network]);
  for (const each of [wanted.data.network, chosen.data.network])
    if (!names.has(each))
      return refuse("invalid_network", { got: shown(each), supported: [...names].join(", ") });
  if (wanted.data.scheme !== "exact" && wanted.data.scheme !== "batch-settlement")
    return refuse("unsupported_scheme", {
      got: shown(wanted.data.scheme),
      supported: "exact, batch-settlement",
    });
  if (chosen.data.scheme !== wanted.data.scheme)
    return refuse("invalid_scheme", { got: shown(chosen.data.scheme), wanted: wanted.data.scheme });
  if (getAddress(wanted.data.asset) !== getAddress(terms.usdc))
    return refuse(
      "invalid_payment_requirements",
      { asset: wanted.data.asset, supported: terms.usdc },
      "asset",
    );

  const payTo = getAddress(wanted.data.payTo);
  if (terms.payees.length > 0 && !terms.payees.includes(payTo))
    return refuse("invalid_payment_requirements", { payTo, supported: terms.payees.join(", ") }, "payTo");

  const requirements = { ...wanted.data, network } as PaymentRequirements;
  const base = { ...chosen.data, network } as PaymentRequirements;
  const form = formOf(wanted.data.scheme, asRecord(sent.payload));
  if ("reason" in form) return refuse(form.reason, form.facts);
  const other = form.tokens.find((token) => getAddress(token) !== getAddress(terms.usdc));
  if (other !== undefined)
    return refuse(tokenMismatch, { token: other, supported: terms.usdc }, "payload.channelConfig.token");
  const payload: PaymentPayload = { x402Version: 2, accepted: base, payload: form.payload };
  return {
    payload,
    requirements,
    network: sentNetwork,
    kind: form.kind,
    payer: form.payer,
    key: hashOf([wanted.data.scheme, terms.chainId, getAddress(requirements.asset), ...form.once]),
    // A deposit's key is of all that was signed; what a metered answer costs may change until it is settled.
    content: hashOf([
      form.payload,
      requirements.payTo,
      ...(form.kind === "deposit" ? [] : [requirements.amount]),
    ]),
  };
}

type Form =
  | { reason: string; facts: Record<string, string> }
  | {
      kind: Payment["kind"];
      payer: Address | undefined;
      payload: Record<string, unknown>;
      /** Of the channels that it is about. */
      tokens: string[];
      /** Beside scheme, chain and token: what makes it the same payment. */
      once: unknown[];
    };

function formOf(scheme: string, sent: Record<string, unknown> | null): Form {
  if (sent && "permit2Authorization" in sent)
    return { reason: "unsupported_payload_type", facts: { got: "permit2", supported: "eip3009" } };
  if (scheme === "exact") {
    const read = authorizationSchema.safeParse(sent);
    if (!read.success) return { reason: "invalid_payload", facts: issueOf(read.error, "payload") };
    const { from, nonce } = read.data.authorization;
    const payer = getAddress(from);
    return { kind: "exact", payer, payload: read.data, tokens: [], once: [payer, nonce.toLowerCase()] };
  }
  const read = batchSchema.safeParse(sent);
  if (!read.success) return { reason: "invalid_payload", facts: issueOf(read.error, "payload") };
  const data = inContractForm(read.data);
  if (!data) return { reason: voucherSignature, facts: { field: "payload.voucher.signature" } };
  const payer =
    data.type === "claim" || data.type === "settle" ? undefined : getAddress(data.channelConfig.payer);
  return { kind: data.type, payer, payload: data, tokens: tokensIn(data), once: [data] };
}

type Batch = z.output<typeof batchSchema>;

/**
 * The payment with its voucher's signature as the contract takes it, so that the same voucher is the same payment however
 * it is written. A payer without a voucher key may be code, which reads its signatures as it likes. Null: no key's signature.
 */
function inContractForm(data: Batch): Batch | null {
  if (!("voucher" in data) || answersForItself(data.channelConfig)) return data;
  const parsed = parseSignature(data.voucher.signature);
  return parsed && { ...data, voucher: { ...data.voucher, signature: toHex(contractForm(parsed)) } };
}

function tokensIn(data: Batch): string[] {
  if (data.type === "settle") return [data.token];
  const own = data.type === "claim" ? [] : [data.channelConfig.token];
  const claims = data.type === "claim" || data.type === "refund" ? (data.claims ?? []) : [];
  return [...own, ...claims.map(({ voucher }) => voucher.channel.token)];
}

/** Version 1 writes the amount as `maxAmountRequired`. */
function fromV1(requirements: unknown, version: 1 | 2): unknown {
  const sent = asRecord(requirements);
  if (version === 2 || !sent) return requirements;
  return { ...sent, amount: sent.maxAmountRequired };
}

function networkIn({ paymentPayload, paymentRequirements }: X402Request): string {
  for (const each of [asRecord(paymentRequirements)?.network, asRecord(paymentPayload)?.network])
    if (typeof each === "string") return each.slice(0, 64);
  return "";
}

const asRecord = (value: unknown): Record<string, unknown> | null =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;

const pick = (from: Record<string, unknown>, ...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, from[name]]));

function issueOf(error: z.ZodError, under?: string): Record<string, string> {
  const [issue] = error.issues;
  const path = [...(under ? [under] : []), ...(issue?.path ?? []).map(String)].join(".");
  return { field: path.slice(0, 120), rule: (issue?.message ?? "is not valid").slice(0, 200) };
}

const shown = (value: unknown): string =>
  (typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing")).slice(0, 80);

/** keccak-256 of the value as JSON with sorted keys and lower-case hexadecimal: how it was written does not matter. */
export const hashOf = (value: unknown): Hex => keccak256(stringToHex(JSON.stringify(sorted(value))));

function sorted(value: unknown): unknown {
  if (typeof value === "string") return isHex(value) ? value.toLowerCase() : value;
  if (Array.isArray(value)) return value.map(sorted);
  const record = asRecord(value);
  if (!record) return value;
  return Object.fromEntries(
    Object.keys(record)
      .toSorted()
      .map((name) => [name, sorted(record[name])]),
  );
}
