import { x402ResourceServer } from "@x402/core/server";
import type { PaymentRequirements, SettleResponse, SupportedResponse } from "@x402/core/types";
import { BatchSettlementEvmScheme } from "@x402/evm/batch-settlement/server";
import { ExactEvmScheme } from "@x402/evm/exact/server";
import type { Price } from "../rules/price.ts";
import type { Shop } from "../service.ts";

/** How long a payment may take to arrive, be served and be settled. */
const maxTimeoutSeconds = 60;

/** The official resource server with our facilitator and our channels. */
export interface ResourceServer {
  readonly server: x402ResourceServer;
  /** The ways to pay a price, cheapest for a single payment first. */
  accepts(price: Price): Promise<PaymentRequirements[]>;
}

/** The official server, before our own facilitator; ready at the first priced call. */
export function openResourceServer(shop: Shop): () => Promise<ResourceServer> {
  const { facilitator, network, token, payTo } = shop;
  const server = new x402ResourceServer({
    verify: (paymentPayload, paymentRequirements) =>
      facilitator.verify({ x402Version: 2, paymentPayload, paymentRequirements }),
    settle: (paymentPayload, paymentRequirements) =>
      facilitator.settle({ x402Version: 2, paymentPayload, paymentRequirements }) as Promise<SettleResponse>,
    getSupported: () => facilitator.supported() as Promise<SupportedResponse>,
  })
    .register(network, new ExactEvmScheme())
    .register(
      network,
      new BatchSettlementEvmScheme(payTo, {
        storage: shop.channels,
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
  let ready: Promise<ResourceServer> | null = null;
  return () => {
    ready ??= server.initialize().then(
      () => ({ server, accepts }),
      (error: unknown) => {
        ready = null;
        throw error;
      },
    );
    return ready;
  };
}
