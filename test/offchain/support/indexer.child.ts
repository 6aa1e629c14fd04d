import { migrations } from "#offchain/app/migrations.ts";
// Indexes slowly, says so after every commit, and waits to be killed.
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import { Indexer } from "#offchain/platform/chain/indexer/indexer.ts";
import { openDatabase } from "#offchain/platform/database/database.ts";
import { type ChildTask, childTask } from "./child.ts";
import { indexing } from "./limits.ts";
import { balanceHandler } from "./token.ts";

const { rpcUrl, connection, token } = childTask<ChildTask>();
const handler = balanceHandler(token);
const indexer = new Indexer({
  client: connectChain({ chainId: 31337, rpcUrl }),
  sql: await openDatabase({ connection, migrations }),
  clock: { now: () => Date.now() },
  handlers: [
    {
      ...handler,
      apply: async (tx, event) => {
        await handler.apply(tx, event);
        // Slow enough to be killed in the middle also by a parent that the machine's load holds up.
        await tx`SELECT pg_sleep(0.1)`;
      },
    },
  ],
  limits: { ...indexing, firstBlocks: 3, maxBlocks: 3 },
  observer: { committed: ({ to }) => console.log(to) },
});
await indexer.start();
