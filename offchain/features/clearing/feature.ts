import { clearingAbi, parameterRegistryAbi, stakingAbi } from "#contracts";
import type { Payments } from "#offchain/features/payments/service.ts";
import { AtHead } from "#offchain/platform/chain/client/atHead.ts";
import { type Revert, revertOf } from "#offchain/platform/chain/contracts/revert.ts";
import type { Transactions } from "#offchain/platform/chain/port.ts";
import { chainFeature, type Opened } from "#offchain/platform/feature.ts";
import { showClearing } from "./actions/show.ts";
import { showStanding } from "./actions/standing.ts";
import { openClearing } from "./clearing.ts";
import { ClearingContract, type TokenTerms } from "./contract.ts";
import { creditSigner } from "./creditSigner.ts";
import { clearingHandlers } from "./events.ts";
import { clear } from "./jobs/clear.ts";
import { HubOffice } from "./office.ts";
import { payeesAtOnce, rowsAtOnce } from "./rules.ts";
import type { Clearings } from "./service.ts";
import { clearingSettings } from "./settings.ts";
import { failingSteps } from "./store/failed.ts";

const clearEveryMs = 250;

/** One deposit pays any payee: credits, their epochs on the chain, and payouts. */
export const clearing = chainFeature({
  name: "clearing",
  migrations: new URL("./migrations/", import.meta.url),
  settings: clearingSettings,
  contracts: [
    { name: "Clearing", abi: clearingAbi, address: "clearing" },
    { name: "Staking", abi: stakingAbi, address: "staking" },
    { name: "ParameterRegistry", abi: parameterRegistryAbi, address: "parameterRegistry" },
  ],
  actions: [showClearing, showStanding],
  open(context, { payments }: { payments: Payments }): Opened<Clearings> {
    const { sql, clock, log, chain, settings } = context;
    const { chainId, contracts, operator } = chain;
    const contract = new ClearingContract(chain.client.reader, contracts);
    const books = payments.hubBooks;
    const office = new HubOffice(contract, operator.address, clock);
    const terms = new AtHead<TokenTerms>(chain.view, clock);
    const refusals = new AtHead<Revert | null>(chain.view, clock);
    const service = openClearing({
      sql,
      clock,
      view: chain.view,
      contract,
      operator: operator.address,
      office,
      signCredit: creditSigner({ chainId, signer: operator, addresses: contracts }),
    });
    payments.joinHub(service);
    const told = new Map<string, string>();
    return {
      service,
      handlers: clearingHandlers(contracts.clearing, contracts.usdc, books),
      checks: {
        clearing: async () => {
          const runId = chain.runId();
          const failing = runId === null ? [] : await failingSteps(sql, runId);
          const detail = {
            ...(failing.length > 0 && { failing: failing.join(", ") }),
            ...(office.other && { operatorInOffice: office.other }),
          };
          return Object.keys(detail).length === 0 ? {} : { status: "degraded", detail };
        },
      },
      jobs: [
        {
          name: "clear",
          everyMs: clearEveryMs,
          isExclusive: true,
          run: () =>
            clear({
              sql,
              clock,
              log,
              contract,
              books,
              runId: () => chain.runId(),
              sender: chain.sender,
              refusal: (data) => refusals.get(data, () => refusalOf(chain.sender, contract.address, data)),
              terms: () => terms.get("", () => contract.terms()),
              refreshOffice: async () => {
                await office.refresh();
                return office.own();
              },
              told,
              epochEveryMs: settings.epochEveryMs,
              atOnce: { rows: rowsAtOnce, payees: payeesAtOnce },
            }),
        },
      ],
    };
  },
});

async function refusalOf(
  sender: Pick<Transactions, "simulate">,
  to: `0x${string}`,
  data: `0x${string}`,
): Promise<Revert | null> {
  try {
    await sender.simulate({ to, data });
    return null;
  } catch (error) {
    const revert = revertOf(error);
    if (revert === null) throw error;
    return revert;
  }
}
