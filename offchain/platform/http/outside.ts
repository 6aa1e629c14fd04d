import { ConsecutiveBreaker, circuitBreaker, handleAll, TimeoutStrategy, timeout, wrap } from "cockatiel";

const usual = { timeoutMs: 10_000, failuresMax: 5, restMs: 60_000 };

export interface OutsideOptions {
  /** As its errors name it, e.g. "the grid's forecast". */
  readonly name: string;
  /** Longest wait for an answer. */
  readonly timeoutMs?: number;
  /** After so many failures in a row it is left alone. */
  readonly failuresMax?: number;
  /** How long it is left alone; then one call tries it again. */
  readonly restMs?: number;
}

/** Somebody else's service. */
export interface Outside {
  /**
   * Asks for JSON, which the caller checks: it is not trusted.
   * @throws an error for no answer in time, a refusal, and at once while the service is left alone
   */
  readJson(url: string, options?: { bearer?: string | undefined }): Promise<unknown>;
}

/** Calls somebody else's service with patience that ends: a slow one holds nobody up, one that is down is not pressed. */
export function openOutside({ name, ...given }: OutsideOptions): Outside {
  const { timeoutMs, failuresMax, restMs } = { ...usual, ...given };
  const patience = wrap(
    circuitBreaker(handleAll, { halfOpenAfter: restMs, breaker: new ConsecutiveBreaker(failuresMax) }),
    timeout(timeoutMs, TimeoutStrategy.Aggressive),
  );
  return {
    readJson: (url, { bearer } = {}) =>
      patience.execute(async ({ signal }) => {
        const headers = { accept: "application/json", ...(bearer && { authorization: `Bearer ${bearer}` }) };
        const answer = await fetch(url, { headers, signal });
        if (!answer.ok) throw new Error(`${name} answered ${answer.status}`);
        return answer.json();
      }),
  };
}
