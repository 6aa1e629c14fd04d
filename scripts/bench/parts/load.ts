import { Agent, request } from "node:http";

const connections = new Agent({ keepAlive: true });

/** A request that is ready to be sent, signed if it must be. */
export interface Prepared {
  readonly url: string | URL;
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** Sends over connections that are kept; gives the status. Answers arrive and are not read: the measured cores do this, too. */
export function send({ url, method = "GET", headers, body }: Prepared): Promise<number> {
  return new Promise((resolve, reject) => {
    const written = body && { "content-type": "application/json", "content-length": body.length };
    const sent = request(
      url,
      { agent: connections, method, headers: { ...headers, ...written } },
      (answer) => {
        answer.resume();
        answer.on("end", () => resolve(answer.statusCode ?? 0));
        answer.on("error", reject);
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** @throws Error unless it is answered 200 */
export async function sendWell(prepared: Prepared): Promise<void> {
  const status = await send(prepared);
  if (status !== 200) throw new Error(`${prepared.method ?? "GET"} ${prepared.url} answered ${status}`);
}

/** Does all the work, `callers` at a time, each its next when it has done one: how many a second, and each one's time, ms. */
export async function atOnce(
  callers: number,
  work: readonly (() => Promise<unknown>)[],
): Promise<{ perSecond: number; times: number[] }> {
  const times: number[] = [];
  let next = 0;
  const beganAt = performance.now();
  const caller = async () => {
    for (let doing = work[next++]; doing; doing = work[next++]) {
      const startedAt = performance.now();
      await doing();
      times.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { perSecond: (work.length * 1_000) / (performance.now() - beganAt), times };
}
