import { type FacilitatorClient, x402ResourceServer } from "@x402/core/server";
import type { PaymentRequirements, SettleResponse, SupportedResponse } from "@x402/core/types";
import { BatchSettlementEvmScheme } from "@x402/evm/batch-settlement/server";
import { ExactEvmScheme } from "@x402/evm/exact/server";
import type { Price } from "../rules/price.ts";
import type { Sale, Shop, X402Request } from "../service.ts";
import { noteRefund } from "./channelRules.ts";
import { inUse } from "./sales.ts";
import { followWork } from "./work.ts";

/** How long a payment may take to arrive, be served and be settled. */
const maxTimeoutSeconds = 60;

type Payload = Parameters<x402ResourceServer["settlePayment"]>[0];

/** A payment, and the sale that it is for. */
export interface Paid {
  readonly payload: Payload;
  readonly requirements: PaymentRequirements;
  readonly sale: Sale;
}

/** The official resource server with our facilitator and our channels. */
export interface ResourceServer {
  readonly server: x402ResourceServer;
  /** @throws what kept a channel's record from being read or written */
  verify(paid: Paid): ReturnType<x402ResourceServer["verifyPayment"]>;
  /**
   * @param amount base units that a metered answer costs; undefined: the whole price
   * @throws what kept a channel's record from being read or written, when the payment may be settled all the same
   * @throws BursarError PAYMENT_IN_USE when another request was charged by the channel meanwhile, and this one was not
   */
  settle(paid: Paid, amount?: bigint): Promise<SettleResponse>;
  /** The ways to pay a price, cheapest for a single payment first. */
  accepts(price: Price): Promise<PaymentRequirements[]>;
}

/** The official server, before our own facilitator; ready at the first priced call. */
export function openResourceServer(shop: Shop): () => Promise<ResourceServer> {
  const { network, token, payTo } = shop;
  const { channels, during } = followWork(shop.channels);
  const server = new x402ResourceServer(facilitatorOf(shop)).register(network, new ExactEvmScheme()).register(
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
    async verify({ payload, requirements, sale }) {
      const { outcome } = await during(sale.payment.key, () => server.verifyPayment(payload, requirements));
      return outcome;
    },
    async settle({ payload, requirements, sale }, amount) {
      const override = amount === undefined ? undefined : { amount: amount.toString() };
      const { outcome, isCharged } = await during(sale.payment.key, () =>
        server.settlePayment(payload, requirements, undefined, undefined, override),
      );
      const isByChannel = requirements.scheme !== "exact" && sale.payment.kind !== "refund";
      if (outcome.success && isByChannel && amount !== 0n && !isCharged) throw inUse(sale, 0);
      return outcome;
    },
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

/** Our own facilitator, as the official server takes one. */
function facilitatorOf(shop: Shop): FacilitatorClient {
  const { facilitator } = shop;
  // A settle has waited for its block: when it is pending, the official server would have it wait once more.
  const settled = new WeakMap<object, Promise<SettleResponse>>();
  async function settle(request: X402Request): Promise<SettleResponse> {
    const endNote = await noteRefund(shop, request);
    const answer = (await facilitator.settle(request)) as SettleResponse;
    await endNote(answer);
    return answer;
  }
  return {
    verify: (paymentPayload, paymentRequirements) =>
      facilitator.verify({ x402Version: 2, paymentPayload, paymentRequirements }),
    settle(paymentPayload, paymentRequirements) {
      const known = settled.get(paymentPayload);
      if (known) return known;
      const answer = settle({ x402Version: 2, paymentPayload, paymentRequirements });
      settled.set(paymentPayload, answer);
      return answer;
    },
    getSupported: () => facilitator.supported() as Promise<SupportedResponse>,
  };
}
