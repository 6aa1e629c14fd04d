import { x402Client, x402HTTPClient } from "@x402/core/client";
import { x402Facilitator } from "@x402/core/facilitator";
import { type FacilitatorClient, x402HTTPResourceServer, x402ResourceServer } from "@x402/core/server";
import type { Network, SettleResponse } from "@x402/core/types";
import { toFacilitatorEvmSigner } from "@x402/evm";
import type { BatchSettlementEvmScheme as ClientScheme } from "@x402/evm/batch-settlement/client";
import { BatchSettlementEvmScheme as FacilitatorScheme } from "@x402/evm/batch-settlement/facilitator";
import { BatchSettlementEvmScheme as ServerScheme } from "@x402/evm/batch-settlement/server";
import type { Account, Address, Chain, LocalAccount, PublicClient, Transport, WalletClient } from "viem";

/** The official facilitator on a wallet of ours, spoken to without a wire. */
export function startFacilitator(
  network: Network,
  client: PublicClient,
  wallet: WalletClient<Transport, Chain, Account>,
): FacilitatorClient {
  const signer = toFacilitatorEvmSigner({
    address: wallet.account.address,
    readContract: (call) => client.readContract(call),
    verifyTypedData: (call) => client.verifyTypedData(call as Parameters<typeof client.verifyTypedData>[0]),
    writeContract: ({ gas, dataSuffix, ...call }) =>
      wallet.writeContract({ ...call, ...(gas && { gas }), ...(dataSuffix && { dataSuffix }) }),
    sendTransaction: (call) => wallet.sendTransaction(call),
    waitForTransactionReceipt: ({ hash }) => client.waitForTransactionReceipt({ hash }),
    getCode: (call) => client.getCode(call),
  });
  const facilitator = new x402Facilitator().register(network, new FacilitatorScheme(signer));
  return {
    verify: (payload, requirements) => facilitator.verify(payload, requirements),
    settle: (payload, requirements) => facilitator.settle(payload, requirements),
    getSupported: async () =>
      facilitator.getSupported() as Awaited<ReturnType<FacilitatorClient["getSupported"]>>,
  };
}

export interface Shop {
  scheme: ServerScheme;
  fetch: typeof fetch;
}

/** The official resource server selling one thing at `price`, reached through a `fetch` of its own. */
export async function openShop(terms: {
  network: Network;
  facilitator: FacilitatorClient;
  receiver: Address;
  authorizer: LocalAccount;
  asset: Address;
  price: string;
  minDeposit: string;
}): Promise<Shop> {
  const scheme = new ServerScheme(terms.receiver, { receiverAuthorizerSigner: terms.authorizer });
  const server = new x402HTTPResourceServer(
    new x402ResourceServer(terms.facilitator).register(terms.network, scheme),
    {
      "GET /paid": {
        accepts: {
          scheme: "batch-settlement",
          network: terms.network,
          payTo: terms.receiver,
          price: {
            asset: terms.asset,
            amount: terms.price,
            extra: { name: "USD Coin", version: "2", minDeposit: terms.minDeposit },
          },
        },
      },
    },
  );
  await server.initialize();
  return { scheme, fetch: (input, init) => serve(server, new Request(input, init)) };
}

/** What a framework's middleware does: verify, handle, settle, answer. */
async function serve(server: x402HTTPResourceServer, request: Request): Promise<Response> {
  const path = new URL(request.url).pathname;
  const adapter = {
    getHeader: (name: string) => request.headers.get(name) ?? undefined,
    getMethod: () => request.method,
    getPath: () => path,
    getUrl: () => request.url,
    getAcceptHeader: () => "application/json",
    getUserAgent: () => "test",
  };
  const result = await server.processHTTPRequest({ adapter, path, method: request.method });
  if (result.type === "no-payment-required") return new Response(null, { status: 404 });
  if (result.type === "payment-error") {
    const { status, headers, body } = result.response;
    return new Response(JSON.stringify(body), { status, headers });
  }
  const settled = await server.processSettlement(
    result.paymentPayload,
    result.paymentRequirements,
    result.declaredExtensions,
    { request: { adapter, path, method: request.method } },
  );
  if (!settled.success) return new Response(null, settled.response as ResponseInit);
  return Response.json({ sold: true }, { headers: settled.headers });
}

/** The official client buys once: 402, payment, answer. */
export async function buy(
  shop: Shop,
  network: Network,
  scheme: ClientScheme,
  asset: Address,
): Promise<{ status: number; settlement: SettleResponse | undefined }> {
  const client = x402Client.fromConfig({
    schemes: [{ network, client: scheme }],
    spendControls: { allowedAssets: [{ network, asset, maxAmountPerPayment: "1000000" }] },
  });
  const http = new x402HTTPClient(client);
  const url = "http://shop.test/paid";
  const asked = await shop.fetch(url);
  const required = http.getPaymentRequiredResponse((name) => asked.headers.get(name));
  const payment = await client.createPaymentPayload(required);
  const answer = await shop.fetch(url, { headers: http.encodePaymentSignatureHeader(payment) });
  const outcome = await http.processPaymentResult(payment, (name) => answer.headers.get(name), answer.status);
  return { status: answer.status, settlement: outcome.settleResponse };
}
