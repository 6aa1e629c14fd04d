import { request } from "node:http";
import { text } from "node:stream/consumers";

const timeoutMs = 15_000;

/**
 * A `fetch` that asks one of several instances, another one each time, as a proxy before them would: under the address
 * that its caller meant and signed for. It is patient with none: an instance that is away or stuck looks to the SDK like
 * any lost connection.
 */
export function anyOf(urls: readonly string[]): typeof fetch {
  let turn = 0;
  return async (input, init) => {
    const { host, pathname, search } = new URL(input instanceof Request ? input.url : String(input));
    const base = urls[turn++ % urls.length] ?? "";
    const late = AbortSignal.timeout(timeoutMs);
    const signal = init?.signal ? AbortSignal.any([init.signal, late]) : late;
    const headers = { ...Object.fromEntries(new Headers(init?.headers)), host };
    try {
      return await ask(
        new URL(pathname + search, base),
        { method: init?.method ?? "GET", headers, signal },
        init?.body,
      );
    } catch (cause) {
      throw new TypeError(`${base} did not answer`, { cause });
    }
  };
}

function ask(
  url: URL,
  options: { method: string; headers: Record<string, string>; signal: AbortSignal },
  body: unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const asked = request(url, options, (answer) => {
      text(answer).then((read) => resolve(new Response(read, { status: answer.statusCode ?? 500 })), reject);
    });
    asked.once("error", reject);
    asked.end(typeof body === "string" ? body : undefined);
  });
}
