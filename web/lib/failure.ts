import { shortHex } from "./format.ts";
import { absoluteText, clockText } from "./time.ts";

/** What went wrong, for a person: what happened, and what to do next. */
export interface Failure {
  title: string;
  /** The detail, in the words of whoever refused. */
  detail: string;
  /** What to do next. */
  next: string;
  /** The code of the service or the name of the contract's error; null when neither spoke. */
  code: string | null;
  /** `declined` is a person's own choice and no fault at all. */
  kind: "declined" | "unreachable" | "missing" | "refused" | "failed";
  canRetry: boolean;
  /** What was asked for may have been done all the same. */
  isUnsure?: boolean;
}

interface Coded {
  code: string;
  remedy: "fix" | "retry" | "sign" | "wait" | "ask";
  status: number;
  message: string;
}

const nextByRemedy: Readonly<Record<Coded["remedy"], string>> = {
  fix: "Check what was asked for; the same request will be refused again.",
  retry: "Try again in a moment.",
  sign: "Look whether it was done all the same; if not, sign it once more.",
  wait: "Nothing to do but let time pass.",
  ask: "Another person has to decide this.",
};

/** What is missing, where pages ask for one by its address. */
const missingThings: Readonly<Record<string, string>> = {
  PROPOSAL_UNKNOWN: "This proposal",
  PAYMENT_UNKNOWN: "This payment",
  BATCH_UNKNOWN: "This batch",
};

const nextByCode: Readonly<Record<string, string>> = {
  PROPOSAL_CLOSED: "Reload the proposal: it was executed, cancelled or ran out of time meanwhile.",
  OWNER_UNKNOWN: "Connect the wallet of one of the Treasury's owners.",
  PROPOSAL_UNKNOWN: "The address may be mistyped, or the proposal was made elsewhere.",
  PAYMENT_UNKNOWN: "The address may be mistyped, or the payment was made elsewhere.",
  BATCH_UNKNOWN: "The address may be mistyped, or the batch was made elsewhere.",
  QUORUM_MISSING: "Ask the missing owners to sign.",
  SIGNATURE_INVALID: "Sign again with the connected owner's account.",
};

/** Explains any error that reaches a page: of the service, of the wallet, of the contract, of the network. */
export function explain(error: unknown): Failure {
  for (const cause of causes(error)) {
    const known =
      ofPage(cause) ??
      ofWaiting(cause) ??
      ofWallet(cause) ??
      ofService(cause) ??
      ofContract(cause) ??
      ofNetwork(cause);
    if (known) return known;
  }
  return {
    title: "That did not work",
    detail: messageOf(error),
    next: "Try again. If it stays, the browser's console has the details.",
    code: null,
    kind: "failed",
    canRetry: true,
  };
}

/** A wallet was asked to go to another network, and has not. */
export function notSwitchedWords(error: unknown): string {
  const { kind, detail } = explain(error);
  return kind === "declined"
    ? "You declined to switch in your wallet. Ask again when you are ready, or switch in the wallet itself."
    : `Your wallet did not switch. It says: ${detail} Switch in the wallet itself.`;
}

/** To the list that something unknown would be in. */
export const backWords = (list: string): string => `Go back to ${list}`;

/** The error and what caused it, outermost first. */
function* causes(error: unknown): Generator<object> {
  let current = error;
  for (let depth = 0; depth < 12 && typeof current === "object" && current !== null; depth += 1) {
    yield current;
    current = (current as { cause?: unknown }).cause;
  }
}

/** What the page itself refuses, by the classes of `features/approvals`. */
const ownRefusals: Readonly<Record<string, Pick<Failure, "title" | "next">>> = {
  ProposalDiffers: {
    title: "Stopped: the data are not what the service shows",
    next: "Neither sign, approve nor execute it. Ask the service's operator.",
  },
  RejectionDiffers: {
    title: "Stopped: another proposal could be rejected instead",
    next: "Nothing was sent. Ask the service's operator.",
  },
  ProposalWouldFail: {
    title: "Stopped: executed now, it would fail",
    next: "Nothing was sent. Try again when what stands in the way is gone.",
  },
  TransactionReverted: {
    title: "The contract refused",
    next: "Nothing was changed on the chain; the gas is spent. The simulation says what stands in the way.",
  },
  TransactionReplaced: {
    title: "Your wallet sent another transaction in its place",
    next: "If that one does the same, this page says so as soon as the service knows.",
  },
};

function ofPage(cause: object): Failure | null {
  const { name } = cause as { name?: string };
  const known = name && Object.hasOwn(ownRefusals, name) ? ownRefusals[name] : undefined;
  if (!known) return null;
  const isUnsure = name === "TransactionReplaced";
  return {
    ...known,
    detail: messageOf(cause),
    code: null,
    kind: "refused",
    canRetry: false,
    ...(isUnsure && { isUnsure }),
  };
}

/** Of viem: a transaction that was sent, and of which there is no receipt. */
const withoutReceipt = new Set(["WaitForTransactionReceiptTimeoutError", "TransactionReceiptNotFoundError"]);

function ofWaiting(cause: object): Failure | null {
  if (!withoutReceipt.has((cause as { name?: string }).name ?? "")) return null;
  const [hash] = /0x[0-9a-fA-F]{64}/.exec(messageOf(cause)) ?? [""];
  return {
    title: "Sent, but in no block yet",
    detail: `It can still be executed: do not send it again. ${hash}`.trim(),
    next: "This page shows it when it is in a block.",
    code: null,
    kind: "unreachable",
    canRetry: false,
    isUnsure: true,
  };
}

function ofWallet(cause: object): Failure | null {
  const { name, code } = cause as { name?: string; code?: unknown };
  if (name === "UserRejectedRequestError" || code === 4001)
    return {
      title: "You declined in your wallet",
      detail: "Nothing was signed and nothing was sent.",
      next: "Ask again when you are ready.",
      code: null,
      kind: "declined",
      canRetry: true,
    };
  if (code === -32002)
    return {
      title: "Your wallet is already asking",
      detail: "An earlier request is still open there.",
      next: "Open the wallet and answer it.",
      code: null,
      kind: "refused",
      canRetry: true,
    };
  if (name === "InsufficientFundsError")
    return {
      title: "This account cannot pay for gas",
      detail: messageOf(cause),
      next: "Let the service send it instead, or connect an account that holds some of the chain's coin.",
      code: name,
      kind: "refused",
      canRetry: false,
    };
  if (name === "ChainMismatchError" || name === "ConnectorChainMismatchError")
    return {
      title: "Your wallet is on another network",
      detail: messageOf(cause),
      next: "Switch the network, then try again.",
      code: null,
      kind: "refused",
      canRetry: true,
    };
  return null;
}

function ofService(cause: object): Failure | null {
  if (!isCoded(cause) || cause.code === "SERVICE_UNREACHABLE" || isBrokenOff(cause)) return null;
  const isMissing = cause.status === 404;
  if (cause.code === "CHAIN_UNAVAILABLE") return chainIsSilent(cause);
  return {
    title: isMissing
      ? `${missingThings[cause.code] ?? "What you asked for"} is not known here`
      : "The service refused",
    detail: sentence(reasonWords(cause.message)),
    next: nextByCode[cause.code] ?? nextByRemedy[cause.remedy],
    code: cause.code,
    kind: isMissing ? "missing" : "refused",
    canRetry: cause.remedy === "retry" || cause.remedy === "sign",
  };
}

/** The service is there, the chain behind it is not: it has refused nothing. */
const chainIsSilent = ({ code, message }: Coded): Failure => {
  const isOfProvider = /^the provider/i.test(message);
  return {
    title: "The chain does not answer",
    detail: isOfProvider ? "The service answers, and keeps asking the chain." : sentence(message),
    next: "Try again when the status line says that it is back.",
    code,
    kind: "unreachable",
    canRetry: true,
    // The service may have kept, or sent, what it was asked before it looked at the chain again.
    isUnsure: true,
  };
};

/** The answer ended before it was whole: what lies behind that says more. */
const isBrokenOff = ({ code, cause }: Coded & { cause?: unknown }): boolean =>
  code === "INTERNAL" && (cause as { code?: unknown } | undefined)?.code === "SERVICE_UNREACHABLE";

const isCoded = (cause: object): cause is Coded => "remedy" in cause && "code" in cause && "status" in cause;

function ofContract(cause: object): Failure | null {
  const { name, data, reason, signature } = cause as {
    name?: string;
    reason?: string;
    signature?: string;
    data?: {
      errorName?: string;
      args?: readonly unknown[];
      abiItem?: { inputs?: readonly { name?: string }[] };
    };
  };
  if (name !== "ContractFunctionRevertedError") return null;
  // viem takes every internal error of a wallet (-32603) for a contract's; one without the contract's bytes is none.
  if (!data && !signature && !/revert/i.test(reason ?? "revert")) return ofWalletItself(reason ?? "");
  const errorName = data?.errorName ?? reason ?? null;
  const facts = Object.fromEntries(
    (data?.args ?? []).map((value, at) => [data?.abiItem?.inputs?.[at]?.name || String(at), value]),
  );
  return {
    title: "The contract refused",
    detail: errorName ? sentence(revertWords(errorName, facts)) : "It reverted without a reason.",
    next: "Nothing was changed on the chain. Where there is a simulation, it says what stands in the way of executing.",
    code: errorName,
    kind: "refused",
    canRetry: true,
  };
}

/** The wallet was asked to send, and says only that something went wrong: before that, or after. */
const ofWalletItself = (reason: string): Failure => ({
  title: "Your wallet reports an error",
  detail: sentence(reason.split(/(?<=[.!?])\s|\n/, 1)[0]?.slice(0, 200) ?? ""),
  next: "Look in your wallet whether it was sent before you try again. If it was, this page shows it when it is in a block.",
  code: null,
  kind: "failed",
  canRetry: true,
  isUnsure: true,
});

function ofNetwork(cause: object): Failure | null {
  const { name, message, code, facts } = cause as {
    name?: string;
    message?: string;
    code?: string;
    facts?: { method?: string; deadlineMs?: number };
  };
  const isFetch =
    code === "SERVICE_UNREACHABLE" ||
    (name === "TypeError" && /fetch|network|load failed/i.test(message ?? ""));
  if (!isFetch && name !== "HttpRequestError" && name !== "TimeoutError") return null;
  const isChain = name === "HttpRequestError";
  const isUnsure = facts?.method !== undefined && facts.method !== "GET";
  return {
    title: isChain ? "The chain does not answer" : "The service does not answer",
    detail: isChain
      ? "Its JSON-RPC address could not be reached."
      : facts?.deadlineMs
        ? `It gave no answer within ${facts.deadlineMs / 1_000} s.`
        : "Its address could not be reached.",
    next: isUnsure
      ? "We do not know whether it arrived. Wait until the service answers, and look whether it was done."
      : "Check that it runs. This page keeps trying and fills itself when it is back.",
    code: null,
    kind: "unreachable",
    canRetry: true,
    ...(isUnsure && { isUnsure }),
  };
}

export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function messageOf(error: unknown): string {
  const { shortMessage, message } = (error ?? {}) as { shortMessage?: string; message?: string };
  return shortMessage ?? message ?? String(error);
}

/** The arguments of a contract's error by their names. */
type Facts = Readonly<Record<string, unknown>>;

const who = (address: unknown): string => shortHex(String(address));

/** Errors that have words of their own; every other is told by its name. */
const revertTexts: Readonly<Record<string, (facts: Facts) => string>> = {
  Error: ({ message }) => `“${String(message)}”`,
  Treasury_NotOwner: ({ caller }) => `${who(caller)} is not an owner`,
  Treasury_OwnerExists: ({ owner }) => `${who(owner)} is an owner already`,
  Treasury_OwnerInvalid: ({ owner }) => `${who(owner)} cannot be an owner`,
  Treasury_Expired: ({ limit }) => `its time was up at ${momentText(Number(limit) * 1_000)}`,
  Treasury_NonceUsed: () => "its nonce is used up, so it was executed or rejected before",
  Treasury_BudgetMissing: ({ spender }) => `${who(spender)} has no budget in this token`,
  ERC20InsufficientBalance: ({ sender }) => `${who(sender)} does not hold enough of the token`,
};

/** A contract's error by its name and its arguments. */
export function revertWords(errorName: string, facts: Facts = {}): string {
  const words = Object.hasOwn(revertTexts, errorName) ? revertTexts[errorName] : undefined;
  const names = Object.keys(facts);
  if (words && names.length > 0) return words(facts);
  const told = names.map((name) => `${/^\d+$/.test(name) ? "" : `${name} `}${valueText(facts[name])}`);
  return `${errorWords(errorName)}${told.length > 0 ? ` (${told.join(", ")})` : ""}`;
}

/**
 * Why an execution would revert, from the service's sentence about it (`reasonInWords` of its simulation): which call, and
 * the contract's error with its arguments as JSON. A sentence of another form stays as it is.
 */
export function reasonWords(reason: string): string {
  const [, call, to, error = "", json = ""] =
    /^(?:call (\d+), to (0x[0-9a-fA-F]{40}), reverts|the (?:execution|call) reverts): (\w+) (\{.*\})$/s.exec(
      reason,
    ) ?? [];
  const facts = factsOf(json);
  if (facts === null) return reason;
  // Bytes that no known contract's error explains.
  const words = /^0x/.test(error) ? `unknown error ${shortHex(error, 8)}` : revertWords(error, facts);
  return call && to ? `call ${call}, to ${shortHex(to)}: ${words}` : words;
}

/** `Treasury_ThresholdOutOfRange` as "threshold out of range". */
export const errorWords = (errorName: string): string =>
  (errorName.split("_").at(-1) ?? errorName).replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();

/** Of today the time alone. */
const momentText = (at: number): string =>
  new Date(at).toDateString() === new Date().toDateString() ? clockText(at) : absoluteText(at);

function valueText(value: unknown): string {
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.startsWith("0x") ? shortHex(text) : text;
}

function factsOf(json: string): Facts | null {
  try {
    return JSON.parse(json) as Facts;
  } catch {
    return null;
  }
}
