import type { PaymentPayload } from "@x402/core/types";
import type { States } from "../states.ts";

/** A payment that left and has no answer yet. */
export interface OpenPayment {
  readonly payment: PaymentPayload;
  /** Whether a request that carried it was ever lost: it may then be paid although nobody said so. */
  isLost: boolean;
}

/**
 * Payments that were signed for a request and not answered. The next call of the same request sends one of them again
 * instead of signing another, also after a restart, when the states are durable.
 */
export class OpenPayments {
  readonly #states: States | null;
  readonly #open = new Map<string, Set<OpenPayment>>();
  /** Those whose call has ended without an answer: free to be taken up. */
  readonly #abandoned = new Map<string, OpenPayment[]>();

  constructor(states: States | null) {
    this.#states = states;
  }

  /** A payment of an earlier call of this request, or null. */
  async takeUp(request: string): Promise<OpenPayment | null> {
    await this.#recall(request);
    const abandoned = this.#abandoned.get(request) ?? [];
    const taken = abandoned.shift() ?? null;
    if (abandoned.length === 0) this.#abandoned.delete(request);
    return taken;
  }

  /** Resolves once the payment is remembered: only then may it leave. */
  async remember(request: string, payment: PaymentPayload): Promise<OpenPayment> {
    const open: OpenPayment = { payment, isLost: false };
    const known = await this.#recall(request);
    known.add(open);
    // Another call may have found the set empty meanwhile, and let it go.
    this.#open.set(request, known);
    await this.#save(request);
    return open;
  }

  /** The payment is answered. */
  async forget(request: string, open: OpenPayment): Promise<void> {
    this.#open.get(request)?.delete(open);
    await this.#save(request);
  }

  /** The call ends without an answer. */
  abandon(request: string, open: OpenPayment): void {
    const abandoned = this.#abandoned.get(request) ?? [];
    this.#abandoned.set(request, [...abandoned, open]);
  }

  async #recall(request: string): Promise<Set<OpenPayment>> {
    const known = this.#open.get(request);
    if (known) return known;
    const stored = ((await this.#states?.load(stateName(request))) ?? []) as PaymentPayload[];
    const racing = this.#open.get(request);
    if (racing) return racing;
    // What an earlier process had on its way may have arrived.
    const recalled = stored.map((payment) => ({ payment, isLost: true }));
    const open = new Set<OpenPayment>(recalled);
    this.#open.set(request, open);
    if (recalled.length > 0) this.#abandoned.set(request, [...recalled]);
    return open;
  }

  async #save(request: string): Promise<void> {
    const open = this.#open.get(request);
    await this.#states?.save(
      stateName(request),
      [...(open ?? [])].map(({ payment }) => payment),
    );
    if (open?.size === 0) this.#open.delete(request);
  }
}

const stateName = (request: string) => `x402-open-${request}`;
