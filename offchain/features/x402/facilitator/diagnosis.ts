import { type Address, BaseError, type Hex, hashTypedData, zeroAddress } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import { signedByCode } from "#offchain/platform/chain/signatures/erc1271.ts";
import { isBlocked, recordedAuthorization, tokenBalance } from "../contract.ts";
import { type Authorization, transferToSign } from "../messages.ts";
import type { Explanation } from "../rules/answer.ts";
import { explanationOf } from "./explain.ts";
import type { GuardedReaderOptions } from "./guardedReader.ts";
import type { Payment } from "./payment.ts";

/** Where a payment's circumstances are looked up. */
export interface DiagnosisOptions extends GuardedReaderOptions {
  readonly usdc: Address;
  readonly treasury: Address;
}

/** What stands against a refused payment, with the figures of the chain: its nonce, funds, expiry, or its payer's policy. */
export async function diagnose(
  options: DiagnosisOptions,
  payment: Payment,
  reason: string,
): Promise<{ code: string; explain: Explanation }> {
  const answer = (code: string, facts?: Record<string, string>) => ({
    code,
    explain: explanationOf(code, facts),
  });
  if (payment.kind !== "exact") return answer(reason);
  const { authorization } = payment.payload.payload as { authorization: Authorization };
  const { from, to, value, validAfter, validBefore, nonce } = authorization;
  switch (reason) {
    case "insufficient_funds":
      return answer(reason, { needed: value, balance: (await balanceOf(options, from)).toString() });
    case "invalid_exact_evm_nonce_already_used":
      return answer(reason, { nonce });
    case "invalid_exact_evm_payload_authorization_valid_before":
    case "invalid_exact_evm_payload_authorization_valid_after":
      return answer(reason, { validAfter, validBefore });
    case "invalid_exact_evm_payload_recipient_mismatch":
      return answer(reason, { got: to, wanted: payment.requirements.payTo });
    case "invalid_exact_evm_payload_authorization_value_mismatch":
      return answer(reason, { got: value, wanted: payment.requirements.amount });
    case "invalid_exact_evm_payload_signature":
      return signatureOf(options, payment, authorization);
    case "invalid_transaction_state": {
      const { client, usdc } = options;
      const [isPayerBlocked, isPayeeBlocked] = await Promise.all([
        isBlocked(client, usdc, from),
        isBlocked(client, usdc, to),
      ]);
      return isPayerBlocked || isPayeeBlocked
        ? policy(reason, "token_policy_denied", { from, to })
        : answer(reason);
    }
    default:
      return answer(reason);
  }
}

/** A policy's refusal keeps the specification's code and says in words whose policy it is. */
const policy = (code: string, words: string, facts: Record<string, string>) => ({
  code,
  explain: explanationOf(words, facts),
});

async function signatureOf(options: DiagnosisOptions, payment: Payment, authorization: Authorization) {
  const code = "invalid_exact_evm_payload_signature";
  const { from } = authorization;
  const isContract = Boolean(await options.client.getCode({ address: from }).catch(unsaid(undefined)));
  if (!isContract) return { code, explain: explanationOf(code, { payer: from }) };
  const hash = digestOf(options, payment, authorization);
  if (from.toLowerCase() !== options.treasury.toLowerCase()) return asCodeSays(options, payment, from, hash);
  const [spender, validBefore] = await recordedAuthorization(options.client, from, hash).catch(
    unsaid([zeroAddress, 0n] as const),
  );
  return policy(code, "payer_policy_denied", {
    payer: from,
    hash,
    recorded: validBefore === 0n ? "no" : "yes",
    ...(validBefore > 0n && { spender, validBefore: validBefore.toString() }),
  });
}

/** The official schemes do not say why a payer's code did not say yes. */
async function asCodeSays(
  { untrustedCode, gasMax }: DiagnosisOptions,
  { payload }: Payment,
  payer: Address,
  hash: Hex,
) {
  const { signature } = payload.payload as { signature: Hex };
  const said = await signedByCode(untrustedCode, { account: payer, hash, signature, gasMax }).catch(
    unsaid("no" as const),
  );
  const code = "invalid_exact_evm_payload_signature";
  return said === "needsGas"
    ? policy(code, "payer_gas_exceeded", { payer, gasMax: gasMax.toString() })
    : policy(code, "payer_policy_denied", { payer });
}

/** The ERC-3009 digest that the payer's contract was asked about. */
function digestOf(
  { client, usdc }: DiagnosisOptions,
  { requirements }: Payment,
  authorization: Authorization,
) {
  const { name = "", version = "" } = requirements.extra as { name?: string; version?: string };
  const token = { name, version, chainId: client.chain.id, verifyingContract: usdc };
  return hashTypedData(transferToSign(authorization, token));
}

const balanceOf = ({ client, usdc }: DiagnosisOptions, account: Address): Promise<bigint> =>
  tokenBalance(client, usdc, account).catch(unsaid(0n));

/** For what only explains: the chain is away, or the contract refuses to say. Any other error is let go. */
const unsaid =
  <Fallback>(fallback: Fallback) =>
  (error: unknown): Fallback => {
    if (error instanceof BursarError || error instanceof BaseError) return fallback;
    throw error;
  };
