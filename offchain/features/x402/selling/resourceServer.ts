import { AsyncLocalStorage } from "node:async_hooks";
import { x402ResourceServer } from "@x402/core/server";
import type { PaymentRequirements, SettleResponse, SupportedResponse } from "@x402/core/types";
import { BatchSettlementEvmScheme, type ChannelStorage } from "@x402/evm/batch-settlement/server";
import { ExactEvmScheme } from "@x402/evm/exact/server";
import type { Price } from "../rules/price.ts";
import type { Shop } from "../service.ts";

/** How long a payment may take to arrive, be served and be settled. */
const maxTimeoutSeconds = 60;

type Payload = Parameters<x402ResourceServer["settlePayment"]>[0];

/** The official resource server with our facilitator and our channels. */
export interface ResourceServer {
  readonly server: x402ResourceServer;
  /** @throws what kept a channel's record from being read or written */
  verify(
    payload: Payload,
    requirements: PaymentRequirements,
  ): ReturnType<x402ResourceServer["verifyPayment"]>;
  /**
   * @param amount base units that a metered answer costs; undefined: the whole price
   * @throws what kept a channel's record from being read or written, when the payment may be settled all the same
   */
  settle(payload: Payload, requirements: PaymentRequirements, amount?: bigint): Promise<SettleResponse>;
  /** The ways to pay a price, cheapest for a single payment first. */
  accepts(price: Price): Promise<PaymentRequirements[]>;
}

/** The official server, before our own facilitator; ready at the first priced call. */
export function openResourceServer(shop: Shop): () => Promise<ResourceServer> {
  const { facilitator, network, token, payTo } = shop;
  const { channels, orFault } = watched(shop.channels);
  // A settle has waited for its block: when it is pending, the official server would have it wait once more.
  const settled = new WeakMap<object, Promise<SettleResponse>>();
  const server = new x402ResourceServer({
    verify: (paymentPayload, paymentRequirements) =>
      facilitator.verify({ x402Version: 2, paymentPayload, paymentRequirements }),
    settle(paymentPayload, paymentRequirements) {
      const known = settled.get(paymentPayload);
      if (known) return known;
      const request = { x402Version: 2, paymentPayload, paymentRequirements };
      const answer = facilitator.settle(request) as Promise<SettleResponse>;
      settled.set(paymentPayload, answer);
      return answer;
    },
    getSupported: () => facilitator.supported() as Promise<SupportedResponse>,
  })
    .register(network, new ExactEvmScheme())
    .register(
      network,
      new BatchSettlementEvmScheme(payTo, {
        storage: channels,
        receiverAuthorizerSigner: shop.authorizer,
      }),
    );
  const accepts = async ({ amount, perItem }: Price) => {
    const schemes = perItem === null ? ["exact", "batch-settlement"] : ["batch-settlement"];
    const price = {
      asset: token.address,
      amount: amount.toString(),
      extra: { name: token.name, version: token.version },
    };
    const built = schemes.map((scheme) =>
      server.buildPaymentRequirements({ scheme, network, payTo, price, maxTimeoutSeconds }),
    );
    return (await Promise.all(built)).flat();
  };
  const opened: ResourceServer = {
    server,
    accepts,
    verify: (payload, requirements) => orFault(() => server.verifyPayment(payload, requirements)),
    settle: (payload, requirements, amount) =>
      orFault(() =>
        server.settlePayment(
          payload,
          requirements,
          undefined,
          undefined,
          amount === undefined ? undefined : { amount: amount.toString() },
        ),
      ),
  };
  let ready: Promise<ResourceServer> | null = null;
  return () => {
    ready ??= server.initialize().then(
      () => opened,
      (error: unknown) => {
        ready = null;
        throw error;
      },
    );
    return ready;
  };
}

/**
 * The official server goes on when a channel's record cannot be read or written, and answers as if it had been. Here the
 * fault is remembered for the work in which it happened.
 */
function watched(storage: ChannelStorage) {
  const works = new AsyncLocalStorage<{ fault: unknown }>();
  const watch = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      const work = works.getStore();
      if (work) work.fault ??= error;
      throw error;
    }
  };
  const channels: ChannelStorage = {
    get: (channelId) => watch(() => storage.get(channelId)),
    list: () => watch(() => storage.list()),
    updateChannel: (channelId, update) => watch(() => storage.updateChannel(channelId, update)),
  };
  async function orFault<T>(run: () => Promise<T>): Promise<T> {
    const work: { fault: unknown } = { fault: null };
    const [outcome] = await Promise.allSettled([works.run(work, run)]);
    if (work.fault !== null) throw work.fault;
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  }
  return { channels, orFault };
}
