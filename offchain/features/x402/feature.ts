import { type Address, getAddress } from "viem";
import type { Payments } from "#offchain/features/payments/service.ts";
import { chainFeature, type Opened } from "#offchain/platform/feature.ts";
import type { MetricsBuilder } from "#offchain/platform/observe/metrics.ts";
import { prices, settle, supported, verify } from "./actions/facilitator.ts";
import { channelOnChain, isClaimable } from "./contract.ts";
import { type FacilitatorOptions, openFacilitator } from "./facilitator/facilitator.ts";
import { networkNamesOf } from "./facilitator/payment.ts";
import { parsePrices } from "./rules/price.ts";
import { openChannelStorage } from "./selling/channels.ts";
import { claimGasMax, gasPerClaim, SalesClaimer } from "./selling/claim.ts";
import { openSale } from "./selling/sale.ts";
import { openSales } from "./selling/sales.ts";
import type { Shop, X402 } from "./service.ts";
import { x402Settings } from "./settings.ts";
import { chargedChannels, soldChannels } from "./store/channels.ts";
import { forgetSales } from "./store/sales.ts";

const forgetEveryMs = 3_600_000;

/** Payments by x402: a facilitator for anybody, and prices on our own actions. */
export const x402 = chainFeature({
  name: "x402",
  migrations: new URL("./migrations/", import.meta.url),
  settings: x402Settings,
  actions: [prices, supported, verify, settle],
  metrics: ({ counter }: MetricsBuilder) => ({
    sales: counter("bursar_x402_sales_total", "Priced requests paid and answered", ["chain", "action"]),
    settlements: counter("bursar_x402_settlements_total", "x402 settles answered, by outcome", [
      "chain",
      "outcome",
    ]),
  }),
  open(context, { payments }: { payments: Payments }): Opened<X402> {
    const { sql, clock, log, chain, settings, metrics } = context;
    const { chainId, contracts, operator } = chain;
    payments.registerSoldChannels(soldChannels);
    const runId = () => chain.view.runNow();
    const payTo = settings.payTo ?? operator.address;
    const facilitating: FacilitatorOptions = {
      sql,
      clock,
      log,
      client: chain.client.reader,
      untrustedCode: chain.client.untrustedCode,
      sender: chain.sender,
      chainId,
      runId,
      usdc: contracts.usdc,
      batchSettlement: contracts.batchSettlement,
      treasury: contracts.treasury,
      payees: payeesOf(settings.payees, payTo),
      settleTimeoutMs: settings.settleTimeoutMs,
      gasMax: BigInt(settings.gasMax),
      onSettle: (outcome) => metrics.settlements.inc({ chain: String(chainId), outcome }),
    };
    const facilitator = openFacilitator(facilitating);
    const claiming = { batchSettlement: contracts.batchSettlement, operator: operator.address };
    const shop: Shop = {
      facilitator,
      sales: openSales(sql, clock, runId),
      channels: openChannelStorage(sql, clock, runId, payments),
      onChain: (channelId) => channelOnChain(chain.client.reader, contracts.batchSettlement, channelId),
      isClaimable: (claim) =>
        chain.client.untrustedCode.run(claimGasMax, (reader) => isClaimable(reader, claiming, claim)),
      prices: parsePrices(settings.prices),
      payTo,
      authorizer: {
        address: operator.address,
        signTypedData: (message) =>
          operator.account.signTypedData(message as Parameters<typeof operator.account.signTypedData>[0]),
      },
      token: { address: contracts.usdc, name: "USD Coin", version: "2" },
      network: `eip155:${chainId}`,
      networkNames: networkNamesOf(chainId),
      onSale: (action) => metrics.sales.inc({ chain: String(chainId), action }),
    };
    // Callers' claims have the gas of one settlement; our own are all collected, however many there are.
    const ownFacilitator = openFacilitator({ ...facilitating, own: { gasPerClaim } });
    const claimer = new SalesClaimer({ ...shop, facilitator: ownFacilitator }, clock);
    const claim = async () => {
      if (chain.runId() === null) return;
      const { claims, refused, settled } = await claimer.run();
      if (refused.length > 0) log.warn({ refused }, "channels that the chain lets nobody claim");
      if (claims > 0) log.info({ claims, settled }, "what channels earned is claimed");
    };
    return {
      service: { ...facilitator, prices: shop.prices, chargedWithin: chargedChannels },
      pricing: { feature: "x402", prices: shop.prices, sell: openSale(shop) },
      jobs: [
        { name: "claim sales", everyMs: settings.claimEveryMs, isExclusive: true, run: claim },
        {
          name: "forget sales",
          everyMs: forgetEveryMs,
          isExclusive: true,
          async run() {
            const forgotten = await forgetSales(sql, chainId, clock.now() - settings.saleRetentionMs);
            if (forgotten > 0) log.info({ forgotten }, "old sales are forgotten");
          },
        },
      ],
    };
  },
});

/** Who is settled for: the listed and, if there is a list, what this service sells itself. */
const payeesOf = (listed: readonly string[], own: Address): Address[] =>
  listed.length === 0 ? [] : [...listed.map((payee) => getAddress(payee)), own];
