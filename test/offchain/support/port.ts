import { freePort } from "../../../scripts/stack/port.ts";

/** Below the ports that the system gives to outgoing connections, above those of `npm start` and of the benches. */
const lowest = 10_000;
/** Test files run side by side, each worker in a range of its own: what one has chosen, no other can take. */
const perWorker = 3_600;
const workers = 6;
/** A stack takes a port, and those 100 and 200 above it. */
const perStack = 301;

const worker = Number(process.env.VITEST_POOL_ID ?? 0) % workers;
// Another run of the tests on the same machine begins elsewhere.
let next = Math.floor(Math.random() * perWorker);

/** A free port to start servers from; never the same twice in a row. */
export async function testPort(): Promise<number> {
  next = (next + perStack) % (perWorker - perStack);
  return freePort(lowest + worker * perWorker + next);
}
