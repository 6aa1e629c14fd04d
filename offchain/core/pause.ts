export interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** Exponential backoff: the pause after so many failures in a row, from one on, twice the one before up to the longest. */
export const backoffMs = (failures: number, { firstMs, longestMs }: Backoff): number =>
  Math.min(firstMs * 2 ** Math.min(failures - 1, 50), longestMs);

/** Resolves after `ms`, in Node and in browsers. @throws the signal's reason, at once when it is aborted */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}

/** What the work comes to, or what `late` does if that takes longer. The work is not stopped. */
export async function withTimeout<Result, Late>(
  work: Promise<Result>,
  timeoutMs: number,
  late: () => Late,
): Promise<Result | Late> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<void>((done) => {
    timer = setTimeout(done, timeoutMs);
  });
  try {
    return await Promise.race([work, expired.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}
