import { BursarError, invalidField } from "#offchain/core/error.ts";

/** @throws BursarError VALIDATION_INVALID_INPUT when `url` is no address of a service */
export function serviceUrl(path: string, url: string): URL {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return new URL(path, url);
  throw invalidField("url", "must be the service's address, such as http://127.0.0.1:4020", url);
}

/**
 * What `fetch` says of a lost connection is a TypeError that names nothing; an aborted signal's reason stays as it is.
 * @throws BursarError SERVICE_UNREACHABLE
 */
export async function reach(fetch: typeof globalThis.fetch, url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const { code, message } = (error.cause ?? error) as { code?: string; message?: string };
    const why = code ?? message ?? error.message;
    throw new BursarError("SERVICE_UNREACHABLE", `no answer from ${url.origin}: ${why}`, {
      facts: { url: url.href, method: init.method ?? "GET", why },
      cause: error,
    });
  }
}
