import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { connectChain } from "#offchain/platform/chain/client/client.ts";

const requestTimeoutMs = 100;
/** Four tries and the rests between them. */
const patienceMs = 10_000;

test.each<[string, (response: ServerResponse) => void]>([
  ["says nothing", () => {}],
  [
    "stops in the middle of its answer",
    (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write('[{"jsonrpc":"2.0",');
    },
  ],
])("a provider that %s is given up", { timeout: 2 * patienceMs }, async (_, answer) => {
  const server = createServer((request, response) => {
    request.resume();
    answer(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { reader } = connectChain({
    chainId: 31_337,
    rpcUrl: `http://127.0.0.1:${port}`,
    requestTimeoutMs,
  });
  try {
    const asked = reader.getBlockNumber();
    const late = new Promise((_resolve, reject) =>
      setTimeout(reject, patienceMs, new Error("still waiting")),
    );
    await expect(Promise.race([asked, late])).rejects.toMatchObject({ code: "CHAIN_UNAVAILABLE" });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
