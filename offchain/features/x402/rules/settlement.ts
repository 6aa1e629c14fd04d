import type { SettleAnswer } from "./answer.ts";

/** The record of a payment whose transaction is stored. */
export interface Settlement {
  /** keccak-256 of the payment with its terms. */
  readonly content: `0x${string}`;
  readonly attempt: number;
  readonly transactionId: bigint;
  /** Null while the transaction is on its way. */
  readonly outcome: SettleAnswer | null;
}

/** The nonce stands on another payment. */
export const nonceTaken = "invalid_exact_evm_nonce_already_used";

/** The service could not do it now, which says nothing of the payment. */
export const settleUnavailable = "unexpected_settle_error";

/** Refusals of an authorization that may have been used for this very payment, since what is signed anybody may send. */
export const mayHaveBeenSent: ReadonlySet<string> = new Set([
  nonceTaken,
  "invalid_exact_evm_payload_authorization_valid_before",
]);

/** Whether the record forbids another transaction: one is on its way, or has done its work. */
export const isStanding = ({ outcome }: Settlement): boolean => outcome?.success !== false;

/** The record under a payment's key, as that payment sees it. */
export type Standing =
  | { readonly kind: "none" }
  /** The last attempt failed: of this very payment, or of another one with the same nonce. */
  | { readonly kind: "failed"; readonly settlement: Settlement; readonly isThisPayment: boolean }
  | { readonly kind: "taken" }
  | { readonly kind: "pending"; readonly settlement: Settlement }
  | { readonly kind: "settled"; readonly outcome: SettleAnswer };

export function standingOf(record: Settlement | null, content: `0x${string}`): Standing {
  if (record === null) return { kind: "none" };
  const isThisPayment = record.content === content;
  if (!isStanding(record)) return { kind: "failed", settlement: record, isThisPayment };
  if (!isThisPayment) return { kind: "taken" };
  return record.outcome
    ? { kind: "settled", outcome: record.outcome }
    : { kind: "pending", settlement: record };
}

/** What became of the one transaction that the official scheme had sent. */
export type Delivery =
  /** The scheme sent none, or none was stored because the call would fail. */
  | { readonly kind: "none" }
  /** The service could not take it now, or whether it is stored could not be found out. */
  | { readonly kind: "unavailable" }
  | { readonly kind: "taken" }
  /** It is not known to have taken effect: not yet, or it failed. */
  | { readonly kind: "stored"; readonly settlement: Settlement }
  | { readonly kind: "mined"; readonly settlement: Settlement };

/** A state of one settle in which there is something to do next. */
type OpenStates = {
  /** To do: look up the record under the payment's key. */
  begun: object;
  /** To do: have the official scheme verify the payment. No transaction for it stands. */
  verifying: object;
  /** Refused. To do: look up the record again, since another caller may have settled this very payment meanwhile. */
  refused: { readonly refusal: SettleAnswer };
  /** To do: have the official scheme settle it, which stores one transaction and waits for it. */
  sending: object;
  /** Its transaction is stored. To do: wait for its block. */
  waiting: { readonly settlement: Settlement };
  /** Its transaction did its work. To do: have the official scheme read the receipt. */
  reading: { readonly settlement: Settlement; readonly hash: `0x${string}` };
  /** There is no receipt. To do: read from the outbox whether there will be one. */
  inspecting: { readonly settlement: Settlement };
  /** To do: look for the payment among what others have sent, up to a block or, with null, the head. */
  searching: {
    readonly settlement: Settlement;
    readonly toBlock: bigint | null;
    /** What is answered when it is not found. */
    readonly otherwise: SettleAnswer;
    /** The attempt has been answered as failed before. */
    readonly isAmending: boolean;
  };
  /** To do: store the outcome, for whoever asks again. */
  recording: {
    readonly settlement: Settlement;
    readonly outcome: SettleAnswer;
    readonly isAmending: boolean;
  };
};

/** What the thing to do in a state can come to. */
type Events = {
  begun: { readonly kind: "found"; readonly standing: Standing };
  verifying: { readonly kind: "valid" } | { readonly kind: "invalid"; readonly refusal: SettleAnswer };
  refused: { readonly kind: "found"; readonly standing: Standing };
  sending: {
    readonly kind: "sent";
    readonly delivery: Delivery;
    /** What the official scheme made of it. */
    readonly outcome: SettleAnswer;
    /** Something could not be read, which the official schemes take for a refusal. */
    readonly isChainAway: boolean;
  };
  waiting: { readonly kind: "mined"; readonly hash: `0x${string}` } | Interrupted;
  reading: { readonly kind: "read"; readonly outcome: SettleAnswer } | Interrupted;
  inspecting:
    | { readonly kind: "open" }
    | { readonly kind: "ineffective"; readonly failure: SettleAnswer; readonly toBlock: bigint | null }
    | Interrupted;
  searching:
    | { readonly kind: "arrived"; readonly outcome: SettleAnswer }
    | { readonly kind: "absent" }
    | Interrupted;
  /** The outcome as it was stored: in words. */
  recording: { readonly kind: "recorded"; readonly outcome: SettleAnswer } | Interrupted;
};

/** It could not be done: chain or database were away, say, which says nothing of the payment. */
interface Interrupted {
  readonly kind: "interrupted";
}

export type OpenName = keyof OpenStates;
export type OpenState<Name extends OpenName = OpenName> = {
  [Each in Name]: { readonly name: Each } & Readonly<OpenStates[Each]>;
}[Name];
export type SettleEvent<Name extends OpenName = OpenName> = Events[Name];

/** How a settle ends. */
export type EndState =
  /** By this answer, which is in words. */
  | { readonly name: "answered"; readonly outcome: SettleAnswer }
  /** By what the official scheme said, of which nothing is stored; it is not in words yet. */
  | { readonly name: "unrecorded"; readonly outcome: SettleAnswer }
  | { readonly name: "declined"; readonly reason: string }
  | { readonly name: "pending"; readonly settlement: Settlement };

export type SettleState = OpenState | EndState;

type Transitions = {
  readonly [Name in OpenName]: (state: OpenState<Name>, event: Events[Name]) => SettleState;
};

const unavailable: EndState = { name: "declined", reason: settleUnavailable };

/** All transitions that exist. Once a transaction is stored, an interruption never ends in a refusal. */
const transitions: Transitions = {
  begun(_, { standing }) {
    switch (standing.kind) {
      case "none":
      case "failed":
        return { name: "verifying" };
      case "taken":
        return { name: "declined", reason: nonceTaken };
      case "pending":
        return { name: "waiting", settlement: standing.settlement };
      case "settled":
        return { name: "answered", outcome: standing.outcome };
    }
  },
  verifying: (_, event) =>
    event.kind === "valid" ? { name: "sending" } : { name: "refused", refusal: event.refusal },
  refused({ refusal }, { standing }) {
    const { errorReason = "unexpected_verify_error" } = refusal;
    if (standing.kind === "pending") return { name: "waiting", settlement: standing.settlement };
    if (standing.kind === "settled") return { name: "answered", outcome: standing.outcome };
    if (errorReason === "unexpected_verify_error") return unavailable;
    // One that was used before we had it in hand may have paid for something else.
    if (standing.kind === "failed" && standing.isThisPayment && mayHaveBeenSent.has(errorReason)) {
      const { settlement } = standing;
      return { name: "searching", settlement, toBlock: null, otherwise: refusal, isAmending: true };
    }
    return { name: "answered", outcome: refusal };
  },
  sending(_, { delivery, outcome, isChainAway }) {
    switch (delivery.kind) {
      case "none":
        return isChainAway ? unavailable : { name: "unrecorded", outcome };
      case "unavailable":
        return unavailable;
      case "taken":
        return { name: "declined", reason: nonceTaken };
      case "stored":
        return stood(delivery.settlement) ?? { name: "inspecting", settlement: delivery.settlement };
      case "mined":
        return stood(delivery.settlement) ?? readAs(delivery.settlement, outcome);
    }
  },
  waiting: ({ settlement }, event) =>
    event.kind === "mined"
      ? { name: "reading", settlement, hash: event.hash }
      : { name: "inspecting", settlement },
  reading: ({ settlement }, event) =>
    event.kind === "read" ? readAs(settlement, event.outcome) : { name: "inspecting", settlement },
  inspecting({ settlement }, event) {
    if (event.kind !== "ineffective") return { name: "pending", settlement };
    const { toBlock, failure: otherwise } = event;
    return { name: "searching", settlement, toBlock, otherwise, isAmending: false };
  },
  searching({ settlement, otherwise, isAmending }, event) {
    switch (event.kind) {
      case "arrived":
        return { name: "recording", settlement, outcome: event.outcome, isAmending };
      case "absent":
        return isAmending
          ? { name: "answered", outcome: otherwise }
          : { name: "recording", settlement, outcome: otherwise, isAmending };
      case "interrupted":
        return isAmending ? unavailable : { name: "pending", settlement };
    }
  },
  recording({ settlement, isAmending }, event) {
    if (event.kind === "recorded") return { name: "answered", outcome: event.outcome };
    return isAmending ? unavailable : { name: "pending", settlement };
  },
};

/** Another caller's settle of this payment was first, and is answered by now. */
const stood = ({ outcome }: Settlement): EndState | null => outcome && { name: "answered", outcome };

const readAs = (settlement: Settlement, outcome: SettleAnswer): SettleState =>
  outcome.errorReason === "settlement_pending"
    ? { name: "pending", settlement }
    : { name: "recording", settlement, outcome, isAmending: false };

/** The state after what was to do in this one has come to something. */
export const next = <Name extends OpenName>(state: OpenState<Name>, event: SettleEvent<Name>): SettleState =>
  (transitions[state.name] as Transitions[Name])(state, event);

export const isOpen = (state: SettleState): state is OpenState => state.name in transitions;
