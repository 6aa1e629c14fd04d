import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { watchHeads } from "#offchain/platform/chain/client/heads.ts";
import { type LocalNode, startNode, until } from "../../../support/node.ts";
import { testPort } from "../../../support/port.ts";

const never = 3_600_000;

let node: LocalNode;

beforeAll(async () => {
  node = await startNode();
});
afterAll(() => node?.stop());

/** Counts what `watchHeads` says, until the test is over. */
function counting(config: { rpcUrl: string; webSocketUrl?: string | null; pollIntervalMs: number }) {
  const counter = { heads: 0 };
  const stop = watchHeads({ chainId: 31337, ...config }, () => {
    counter.heads += 1;
  });
  return Object.assign(counter, { stop });
}

/** Mines until a head is seen. */
async function expectPushed(counter: { heads: number }): Promise<void> {
  const before = counter.heads;
  await until(
    async () => {
      await node.client.mine({ blocks: 1 });
      return counter.heads;
    },
    (heads) => heads > before,
  );
}

describe("watching for heads", () => {
  test("is told of a block by the socket, without polling", async () => {
    const counter = counting({ rpcUrl: node.url, pollIntervalMs: never });
    // The subscription's own answer is the first message.
    await until(
      () => counter.heads,
      (heads) => heads >= 1,
    );
    await expectPushed(counter);
    counter.stop();
  });

  test("polls where there is no socket", async () => {
    const counter = counting({ rpcUrl: node.url, webSocketUrl: null, pollIntervalMs: 10 });
    await until(
      () => counter.heads,
      (heads) => heads >= 3,
    );
    counter.stop();
  });

  test("polls while the socket is refused", async () => {
    const nobody = `ws://127.0.0.1:${await testPort()}`;
    const counter = counting({ rpcUrl: node.url, webSocketUrl: nobody, pollIntervalMs: 10 });
    await until(
      () => counter.heads,
      (heads) => heads >= 3,
    );
    counter.stop();
  });

  test("subscribes again after the node was gone", async () => {
    const counter = counting({ rpcUrl: node.url, pollIntervalMs: never });
    await until(
      () => counter.heads,
      (heads) => heads >= 1,
    );
    await node.stop();
    node = await startNode(node.port);
    await expectPushed(counter);
    counter.stop();
  });

  test("says nothing after it was stopped", async () => {
    const counter = counting({ rpcUrl: node.url, webSocketUrl: null, pollIntervalMs: 10 });
    await until(
      () => counter.heads,
      (heads) => heads >= 1,
    );
    counter.stop();
    const { heads } = counter;
    await node.client.mine({ blocks: 3 });
    expect(counter.heads).toBe(heads);
  });
});
