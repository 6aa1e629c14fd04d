import type { Facilitator } from "../service.ts";
import { inWords } from "./answer.ts";
import { supportedKinds } from "./official.ts";
import { type FacilitatorTerms, type Payment, readPayment, type Unreadable } from "./payment.ts";
import { Settling, type SettlingOptions } from "./settling.ts";
import { readingSigner } from "./signer.ts";
import { Verifying, type VerifyingOptions } from "./verifying.ts";

export interface FacilitatorOptions extends FacilitatorTerms, SettlingOptions, VerifyingOptions {
  /** Told what each settle answered: `settled`, or the code of the refusal. */
  readonly onSettle?: (outcome: string) => void;
}

const isUnreadable = (read: Payment | Unreadable): read is Unreadable => "reason" in read;

const readsNothing = { ask: () => Promise.reject(new Error("nothing is to be read")) };

/** Opens the facilitator; what it does not settle is refused before anything is looked up. */
export function openFacilitator(options: FacilitatorOptions): Facilitator {
  const verifying = new Verifying(options, options.sender.sender);
  const settling = new Settling(options, verifying);
  const silent = readingSigner(options.client, readsNothing, options.sender.sender);
  return {
    identify(request) {
      const read = readPayment(request, options);
      if (isUnreadable(read)) return { reason: read.reason, explain: read.explain };
      return { key: read.key, content: read.content, kind: read.kind, payload: read.payload };
    },

    async hasFailed(request) {
      const read = readPayment(request, options);
      return !isUnreadable(read) && settling.hasFailed(read);
    },

    supported: async () => supportedKinds(silent, options.chainId),

    async verify(request) {
      const read = readPayment(request, options);
      if (!isUnreadable(read)) return verifying.verify(read);
      return { isValid: false, invalidReason: read.reason, ...inWords(read.explain, "invalidMessage") };
    },

    async settle(request) {
      const read = readPayment(request, options);
      const answer = isUnreadable(read)
        ? {
            success: false,
            errorReason: read.reason,
            transaction: "",
            network: read.network,
            ...inWords(read.explain),
          }
        : await settling.settle(read);
      options.onSettle?.(answer.success ? "settled" : (answer.errorReason ?? "unexpected_settle_error"));
      return answer;
    },
  };
}
