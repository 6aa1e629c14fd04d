const timeoutMs = 15_000;

/**
 * A `fetch` that asks one of several instances, another one each time, and is patient with none: an instance that is
 * away or stuck looks to the SDK like any lost connection.
 */
export function anyOf(urls: readonly string[]): typeof fetch {
  let turn = 0;
  return async (input, init) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : String(input));
    const base = urls[turn++ % urls.length] ?? "";
    const late = AbortSignal.timeout(timeoutMs);
    const signal = init?.signal ? AbortSignal.any([init.signal, late]) : late;
    try {
      const response = await fetch(new URL(pathname + search, base), { ...init, signal });
      return new Response(await response.text(), { status: response.status });
    } catch (cause) {
      throw new TypeError(`${base} did not answer`, { cause });
    }
  };
}
