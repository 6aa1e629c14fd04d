/** What a caller should do next about an error: the one question that every error answers. */
export const remedies = ["fix", "retry", "sign", "wait", "ask"] as const;
export type Remedy = (typeof remedies)[number];

/**
 * Every error of Bursar: its HTTP status, and what the caller does next.
 * `fix`: change the request. `retry`: send the same again. `wait`: nothing to do but let time pass. `ask`: a human decides.
 * What is `retry` here becomes `sign` when the failed request has used its signature up: sign the same request anew.
 */
export const errorCodes = {
  VALIDATION_INVALID_INPUT: { status: 400, remedy: "fix" },
  BODY_MALFORMED: { status: 400, remedy: "fix" },
  BODY_TOO_LARGE: { status: 413, remedy: "fix" },
  BODY_LATE: { status: 408, remedy: "retry" },
  CONTENT_TYPE_UNSUPPORTED: { status: 415, remedy: "fix" },
  ROUTE_UNKNOWN: { status: 404, remedy: "fix" },
  METHOD_UNKNOWN: { status: 405, remedy: "fix" },
  /** The route speaks WebSocket only. */
  UPGRADE_REQUIRED: { status: 426, remedy: "fix" },
  RATE_LIMITED: { status: 429, remedy: "wait" },
  INTERNAL: { status: 500, remedy: "retry" },
  OVERLOADED: { status: 503, remedy: "retry" },
  STORE_UNAVAILABLE: { status: 503, remedy: "retry" },
  SHUTTING_DOWN: { status: 503, remedy: "retry" },
  /** Raised by the client only: the connection was refused or lost. */
  SERVICE_UNREACHABLE: { status: 503, remedy: "retry" },

  SIGNATURE_MISSING: { status: 401, remedy: "fix" },
  SIGNATURE_INVALID: { status: 401, remedy: "fix" },
  SIGNATURE_EXPIRED: { status: 401, remedy: "fix" },
  /** The same signed request came before, and what came of it is not known. */
  REQUEST_REPEATED: { status: 409, remedy: "sign" },
  FORBIDDEN: { status: 403, remedy: "ask" },
  AGENT_UNKNOWN: { status: 404, remedy: "fix" },
  AGENT_SUSPENDED: { status: 403, remedy: "ask" },

  IDEMPOTENCY_CONFLICT: { status: 409, remedy: "fix" },

  LOCK_BUSY: { status: 409, remedy: "wait" },
  /** A later holder has the lock: what was done under it must be begun anew. */
  LOCK_LOST: { status: 409, remedy: "retry" },
  LOCK_UNAVAILABLE: { status: 503, remedy: "retry" },

  UNIT_UNKNOWN: { status: 400, remedy: "fix" },
  AMOUNT_INVALID: { status: 400, remedy: "fix" },
  ACCOUNT_UNKNOWN: { status: 404, remedy: "fix" },
  ACCOUNT_SUSPENDED: { status: 403, remedy: "ask" },
  TRANSFER_UNKNOWN: { status: 404, remedy: "fix" },
  TRANSFER_SELF: { status: 400, remedy: "fix" },
  TRANSFER_NOT_PENDING: { status: 409, remedy: "fix" },
  TRANSFER_EXPIRED: { status: 409, remedy: "fix" },
  TRANSFER_EXCEEDS_PENDING: { status: 400, remedy: "fix" },
  TRANSFER_LINK_FAILED: { status: 409, remedy: "fix" },
  TRANSFER_NOT_POSTED: { status: 409, remedy: "fix" },
  TRANSFER_EXCEEDS_POSTED: { status: 400, remedy: "fix" },
  AMOUNT_BELOW_MINIMUM: { status: 400, remedy: "fix" },
  AMOUNT_ABOVE_MAXIMUM: { status: 400, remedy: "fix" },
  /** A balance has 38 digits. */
  BALANCE_OVERFLOW: { status: 409, remedy: "fix" },
  SCHEDULE_UNKNOWN: { status: 404, remedy: "fix" },
  /** The owner has as many active schedules as one may have: one is cancelled first. */
  SCHEDULES_FULL: { status: 409, remedy: "fix" },
  UNIT_NOT_TRANSFERABLE: { status: 403, remedy: "fix" },
  INSUFFICIENT_FUNDS: { status: 402, remedy: "fix" },
  BUDGET_EXCEEDED: { status: 403, remedy: "wait" },

  /** The cursor is of a chain that is no more. */
  FEED_ENDED: { status: 410, remedy: "fix" },
  NETWORK_MISMATCH: { status: 400, remedy: "fix" },
  /** A configured token counts otherwise than its unit, or is no token at all. */
  TOKEN_MISMATCH: { status: 400, remedy: "fix" },
  CHANNEL_UNKNOWN: { status: 404, remedy: "fix" },
  CHANNEL_MISMATCH: { status: 400, remedy: "fix" },
  CHANNEL_CLOSING: { status: 409, remedy: "fix" },
  CHANNEL_UNFUNDED: { status: 402, remedy: "fix" },
  VOUCHER_FORGED: { status: 401, remedy: "fix" },
  /** Too many of the same request are forged, or need their payers' code asked, to look at this one: it is sent again without them. */
  VOUCHER_UNCHECKED: { status: 503, remedy: "retry" },
  VOUCHER_REPLAYED: { status: 409, remedy: "fix" },
  VOUCHER_STALE: { status: 409, remedy: "fix" },
  VOUCHER_OVER_DEPOSIT: { status: 402, remedy: "fix" },
  PAYMENT_MALFORMED: { status: 400, remedy: "fix" },
  /** The same payment is being served to another request of the same kind. */
  PAYMENT_IN_USE: { status: 409, remedy: "wait" },
  /** Raised by the client only: the payment was sent, and its outcome is unknown. */
  PAYMENT_UNANSWERED: { status: 504, remedy: "retry" },
  PAYMENT_SPENT: { status: 409, remedy: "ask" },
  PAYMENT_UNKNOWN: { status: 404, remedy: "fix" },
  BATCH_UNKNOWN: { status: 404, remedy: "fix" },
  /** The operator has too little at stake to owe payees anything: only direct channels are opened. */
  CLEARING_UNBONDED: { status: 503, remedy: "ask" },

  /** There is none of that number, or its tree is not kept any more. */
  SNAPSHOT_UNKNOWN: { status: 404, remedy: "fix" },
  /** Nothing was owed to this owner, so the snapshot has no leaf for it. */
  OBLIGATION_UNKNOWN: { status: 404, remedy: "ask" },

  PROPOSAL_UNKNOWN: { status: 404, remedy: "fix" },
  /** No followed Treasury stands at the address: it is adopted first. */
  TREASURY_UNKNOWN: { status: 404, remedy: "fix" },
  PROPOSAL_CLOSED: { status: 409, remedy: "fix" },
  OWNER_UNKNOWN: { status: 403, remedy: "ask" },
  QUORUM_MISSING: { status: 409, remedy: "ask" },
  POLICY_DENIED: { status: 403, remedy: "ask" },
  /** The call needs more gas than the service pays for. */
  TRANSACTION_TOO_EXPENSIVE: { status: 422, remedy: "fix" },
  /** The call has more bytes than a transaction may have. */
  TRANSACTION_TOO_LARGE: { status: 413, remedy: "fix" },
  TRANSACTION_REVERTED: { status: 409, remedy: "fix" },
  /** Known only to the chain that was restarted: nothing of it will ever happen. */
  TRANSACTION_LOST: { status: 409, remedy: "fix" },
  TRANSACTION_UNKNOWN: { status: 404, remedy: "fix" },
  CHAIN_UNAVAILABLE: { status: 503, remedy: "retry" },
  CHAIN_REPLACED: { status: 503, remedy: "ask" },
  CHAIN_REINDEX_NEEDED: { status: 503, remedy: "ask" },

  SOCIETY_UNKNOWN: { status: 404, remedy: "fix" },
  SOURCE_UNKNOWN: { status: 404, remedy: "fix" },
  SOURCE_TAKEN: { status: 409, remedy: "ask" },
  CAPACITY_EXCEEDED: { status: 409, remedy: "wait" },
  CAPACITY_PROOF_INVALID: { status: 400, remedy: "fix" },
  ENERGY_INSUFFICIENT: { status: 409, remedy: "wait" },
  TICKET_UNKNOWN: { status: 404, remedy: "fix" },
  TICKET_CLOSED: { status: 409, remedy: "fix" },
  FACTOR_NOT_MASS: { status: 400, remedy: "fix" },
  CARBON_BUDGET_EXCEEDED: { status: 403, remedy: "wait" },
} as const satisfies Record<string, { status: number; remedy: Remedy }>;

export type ErrorCode = keyof typeof errorCodes;

/** One broken rule of one field of a request. */
export interface FieldError {
  /** Dotted path of the field, e.g. `voucher.signature`. */
  field: string;
  /** The rule that it breaks, as a sentence. */
  message: string;
  /** What was sent; never a secret. */
  value?: unknown;
}

/** Facts that a caller needs to act: what it asked, what the limit was, which thing. bigint is written as a decimal string. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | bigint | null | undefined>>;

/** The one error class. Its code says what happened, its facts say with which figures. */
export class BursarError extends Error {
  override readonly name = "BursarError";
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;
  readonly fields: readonly FieldError[];
  /** The code's own one, unless whoever threw it knows better. */
  readonly remedy: Remedy;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      facts?: ErrorFacts;
      fields?: readonly FieldError[];
      remedy?: Remedy;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.facts = options.facts ?? {};
    this.fields = options.fields ?? [];
    this.remedy = options.remedy ?? errorCodes[code].remedy;
  }

  get status(): number {
    return errorCodes[this.code].status;
  }
}

/** One field breaks a rule, which is said after its name. */
export const invalidField = (field: string, message: string, value?: unknown): BursarError =>
  new BursarError("VALIDATION_INVALID_INPUT", `${field} ${message}`, {
    fields: [{ field, message, ...(value !== undefined && { value }) }],
  });
