import type { Explanation } from "../rules/answer.ts";

type Words = Pick<Explanation, "about" | "message" | "remedy">;

const undeployed = said(
  "signature",
  "the signature is of an account that does not stand on the chain yet (ERC-6492), and none is deployed here: deploy it first, then sign as it does",
);

/** The error codes of the x402 specification (version 2, §9) in words, and the further ones that this service answers. */
const words: Readonly<Record<string, Words>> = {
  invalid_x402_version: said("version", "this protocol version is not spoken here"),
  invalid_payload: said("payload", "the payment is not written as its scheme has it"),
  unsupported_payload_type: said("payload", "payments by Permit2 are not settled here; sign by EIP-3009"),
  invalid_payment_requirements: said("terms", "the requirements are not usable here"),
  invalid_network: said("network", "this facilitator settles on another network"),
  invalid_scheme: said("scheme", "the payment is of another scheme than the requirements"),
  unsupported_scheme: said("scheme", "this scheme is not settled here"),
  invalid_batch_settlement_evm_token_mismatch: said(
    "token",
    "the channel is in another token: prices are in USDC, and only channels in USDC pay them",
  ),
  asset_not_deployed_contract: said("token", "there is no token at the asset's address"),
  invalid_exact_evm_payload_signature: said(
    "signature",
    "the signature is not the payer's over this authorization: check the token's name and version, the chain, and who signs",
  ),
  invalid_exact_evm_payload_recipient_mismatch: said(
    "recipient",
    "the payment goes to another recipient than asked",
  ),
  invalid_exact_evm_payload_authorization_value_mismatch: said(
    "amount",
    "the payment is of another amount than asked",
  ),
  invalid_exact_evm_payload_authorization_valid_before: said(
    "expiry",
    "the authorization has expired, or will within seconds: sign a new one",
  ),
  invalid_exact_evm_payload_authorization_valid_after: said(
    "expiry",
    "the authorization is not valid yet: wait until validAfter",
    "wait",
  ),
  invalid_exact_evm_nonce_already_used: said(
    "nonce",
    "the authorization's nonce is used: this payment was made, or the payer cancelled it; sign one with a fresh nonce",
  ),
  insufficient_funds: said(
    "funds",
    "the payer's balance is below the amount: add funds, then send the same again",
  ),
  payer_policy_denied: said(
    "policy",
    "the payer's contract does not authorise this payment: its policy has not recorded it, or the record has expired, was revoked, or its spender is stopped",
    "ask",
  ),
  payer_gas_exceeded: said(
    "signature",
    "the payer's contract needs more gas to say whether it signed than a settlement may have",
  ),
  eip6492_factory_not_allowed: undeployed,
  invalid_batch_settlement_evm_eip6492_factory_not_allowed: undeployed,
  token_policy_denied: said("policy", "the token's issuer has blocked the payer or the recipient", "ask"),
  settlement_pending: said(
    "settlement",
    "the transaction is sent and not mined yet: send the same payment again, it is never paid twice",
    "retry",
  ),
  invalid_transaction_state: said("settlement", "the transaction was mined, but it failed", "retry"),
  unexpected_verify_error: said("service", "the payment could not be judged: send the same again", "retry"),
  unexpected_settle_error: said("service", "the payment could not be settled: send the same again", "retry"),
};

function said(about: Words["about"], message: string, remedy: Words["remedy"] = "fix"): Words {
  return { about, message, remedy };
}

/** The specification's name for what the official package calls otherwise. */
const specified: Readonly<Record<string, string>> = {
  invalid_exact_evm_scheme: "invalid_scheme",
  invalid_exact_evm_network_mismatch: "invalid_network",
  invalid_exact_evm_missing_eip712_domain: "invalid_payment_requirements",
  invalid_exact_evm_token_name_mismatch: "invalid_payment_requirements",
  invalid_exact_evm_token_version_mismatch: "invalid_payment_requirements",
  invalid_exact_evm_eip3009_not_supported: "invalid_payment_requirements",
  invalid_exact_evm_recipient_mismatch: "invalid_exact_evm_payload_recipient_mismatch",
  invalid_exact_evm_signature: "invalid_exact_evm_payload_signature",
  invalid_exact_evm_failed_to_parse_signature: "invalid_exact_evm_payload_signature",
  invalid_exact_evm_authorization_value: "invalid_exact_evm_payload_authorization_value_mismatch",
  invalid_exact_evm_insufficient_balance: "insufficient_funds",
  invalid_exact_evm_transaction_simulation_failed: "invalid_transaction_state",
  invalid_exact_evm_transaction_failed: "invalid_transaction_state",
  invalid_exact_evm_transfer_event_mismatch: "invalid_transaction_state",
};

/** What about a channel the code's ending says. */
const channelTopics: readonly (readonly [RegExp, Words["about"]])[] = [
  [/insufficient_balance|balance$/, "funds"],
  [/signature/, "signature"],
  [/valid_(before|after)|expired|deadline/, "expiry"],
  [/token/, "token"],
  [/network/, "network"],
  [/amount|cumulative|min_deposit/, "amount"],
];

/** The code that leaves this service: the specification's where it has one. */
export const specifiedReason = (reason: string): string => specified[reason] ?? reason;

/** A code in words, with the figures that it is about. */
export function explanationOf(reason: string, facts?: Readonly<Record<string, string>>): Explanation {
  const code = specifiedReason(reason);
  return {
    ...(words[code] ?? channelWords(code)),
    ...(code !== reason && { officialReason: reason }),
    ...(facts && Object.keys(facts).length > 0 && { facts }),
  };
}

function channelWords(code: string): Words {
  const about = channelTopics.find(([pattern]) => pattern.test(code))?.[1] ?? "channel";
  const rule = code.replace(/^invalid_(batch_settlement_evm_)?/, "").replaceAll("_", " ");
  const isPassing = /channel_busy|rpc_read_failed|state_unavailable/.test(code);
  return { about, message: `the channel payment is refused: ${rule}`, remedy: isPassing ? "retry" : "fix" };
}
