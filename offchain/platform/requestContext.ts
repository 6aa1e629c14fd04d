import { AsyncLocalStorage } from "node:async_hooks";

/** The request that is worked on, wherever its work has got to. */
export interface RequestContext {
  /** Where it comes from; empty if nobody said. */
  readonly from: string;
  /** Aborted when it is not to wait for something new any longer. */
  readonly hurry: AbortSignal | undefined;
}

const contexts = new AsyncLocalStorage<RequestContext>();

/** Does the work of a request, whose context is known to all that it calls. Jobs have none. */
export const withinRequest = <T>(from: string | undefined, work: () => T, hurry?: AbortSignal): T =>
  contexts.run({ from: from ?? "", hurry }, work);

/** Undefined: the service's own work. */
export const requestContext = (): RequestContext | undefined => contexts.getStore();

/** Aborted when whoever asks does not wait for something new any longer; undefined: it is never said. */
export const hurrySignal = (): AbortSignal | undefined => contexts.getStore()?.hurry;

/** Where the request that is worked on comes from; of all that says no place, and of the service's own work, the same. */
export const requestedFrom = (): string => contexts.getStore()?.from ?? "";
