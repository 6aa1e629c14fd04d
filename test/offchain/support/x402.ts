import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { PaymentPayload, PaymentRequirements } from "@x402/core/types";
import { ExactEvmScheme } from "@x402/evm/exact/client";
import {
  type Abi,
  type Address,
  encodeFunctionData,
  getAddress,
  type Hex,
  keccak256,
  toHex,
  zeroAddress,
} from "viem";
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { batchSettlementAbi, testUsdcAbi, treasuryAbi } from "#contracts";
import { createHttp } from "#offchain/doors/http/http.ts";
import { serve } from "#offchain/doors/http/serve.ts";
import { lockPromised } from "#offchain/features/payments/store/promised.ts";
import { channelOnChain, isClaimable } from "#offchain/features/x402/contract.ts";
import { openFacilitator } from "#offchain/features/x402/facilitator/facilitator.ts";
import { networkNamesOf } from "#offchain/features/x402/facilitator/payment.ts";
import { parsePrices } from "#offchain/features/x402/rules/price.ts";
import { openChannelStorage } from "#offchain/features/x402/selling/channels.ts";
import { SalesClaimer } from "#offchain/features/x402/selling/claim.ts";
import { openSale } from "#offchain/features/x402/selling/sale.ts";
import { openSales } from "#offchain/features/x402/selling/sales.ts";
import type { Facilitator, Shop } from "#offchain/features/x402/service.ts";
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import { Indexer } from "#offchain/platform/chain/indexer/indexer.ts";
import type { SenderLimits } from "#offchain/platform/chain/sender/limits.ts";
import { loseUnmined, Sender } from "#offchain/platform/chain/sender/sender.ts";
import { createLog, type Log } from "#offchain/platform/observe/log.ts";
import { BATCH_SETTLEMENT_ADDRESS, placeCanonical } from "../../../scripts/contracts/canonical.ts";
import { shippedArtifacts } from "../../../scripts/contracts/creationCode/shipped.ts";
import { startTestServer, type TestDatabase } from "./database.ts";
import { indexing, sending } from "./limits.ts";
import { devAccount, type localClient, startNode } from "./node.ts";
import { smallService } from "./service.ts";
import { deployToken, mint } from "./token.ts";

export const chainId = 31337;
export const network = `eip155:${chainId}` as const;
export const clock = { now: () => Date.now() };
/** Not account 0, which mints. */
export const operator = devAccount(9);
export const seller = privateKeyToAccount(keccak256(toHex("seller"))).address;
export const domain = { name: "USD Coin", version: "2" };

const artifact = shippedArtifacts("treasury/Treasury");

/** A chain with x402's contracts, TestUSDC and a Treasury, and a database that follows it. */
export async function startX402Chain() {
  const [node, server] = await Promise.all([startNode(), startTestServer()]);
  await placeCanonical(node.client, shippedArtifacts);
  const usdc = await deployToken(node);
  const treasury = await deployTreasury(node.client);
  const database = await server.create();
  const client = connectChain({ chainId, rpcUrl: node.url, pollIntervalMs: 50 });
  const indexer = new Indexer({
    client,
    sql: database.sql,
    clock,
    handlers: [],
    onNewRun: [loseUnmined(clock)],
    limits: { ...indexing, shrinkToleranceMs: 0 },
  });
  await indexer.start();
  return {
    node,
    database,
    client,
    usdc,
    treasury,
    runId: () => indexer.status().runId,
    async payer(amount = 1_000_000n): Promise<PrivateKeyAccount> {
      const account = privateKeyToAccount(generatePrivateKey());
      if (amount > 0n) await mint(node, usdc, [[account.address, amount]]);
      return account;
    },
    balanceOf: (account: Address): Promise<bigint> =>
      node.client.readContract({
        address: usdc,
        abi: testUsdcAbi,
        functionName: "balanceOf",
        args: [account],
      }),
    async stop() {
      await indexer.stop();
      await database.close();
      await node.stop();
      await server.stop();
    },
  };
}

export type X402Chain = Awaited<ReturnType<typeof startX402Chain>>;

/** One instance of the service's sender and facilitator; several share one key and one database. */
export async function startFacilitator(
  chain: Pick<X402Chain, "node" | "usdc" | "treasury" | "runId"> & { database: Pick<TestDatabase, "sql"> },
  options: {
    limits?: Partial<SenderLimits>;
    settleTimeoutMs?: number;
    gasMax?: bigint;
    own?: { gasPerClaim: bigint };
    isSending?: boolean;
    /** Its reads may fail. */
    client?: ReturnType<typeof connectChain>;
    payees?: Address[];
    log?: Log;
  } = {},
) {
  const client = options.client ?? connectChain({ chainId, rpcUrl: chain.node.url, pollIntervalMs: 50 });
  const sender = new Sender({
    client,
    sql: chain.database.sql,
    clock,
    account: operator,
    abis: { TestUSDC: testUsdcAbi, BatchSettlement: batchSettlementAbi },
    limits: { ...sending, pollIntervalMs: 50, ...options.limits },
  });
  if (options.isSending ?? true) await sender.start();
  const facilitator = openFacilitator({
    sql: chain.database.sql,
    clock,
    log: options.log ?? createLog({ level: "silent", clock }),
    client: client.reader,
    untrustedCode: client.untrustedCode,
    sender,
    chainId,
    runId: chain.runId,
    usdc: chain.usdc,
    batchSettlement: BATCH_SETTLEMENT_ADDRESS,
    treasury: chain.treasury,
    payees: options.payees ?? [],
    settleTimeoutMs: options.settleTimeoutMs ?? 15_000,
    gasMax: options.gasMax ?? 500_000n,
    ...(options.own && { own: options.own }),
  });
  return { sender, facilitator, stop: () => sender.stop() };
}

/** The real door, on a real socket; behind it stands what the tests ask of it. */
export async function openX402Door(
  services: { x402?: Facilitator },
  environment: Record<string, string> = {},
  shop?: Shop,
) {
  const selling = shop && { ...shop.facilitator, prices: shop.prices };
  const service = smallService({
    // Without a shop nothing has a price.
    services: { ...services, x402: { prices: new Map(), ...services.x402, ...selling } },
    ...(shop && { pricing: { feature: "x402", prices: shop.prices, sell: openSale(shop) } }),
    environment: {
      BURSAR_RATE_PER_IP_PER_SECOND: "0",
      BURSAR_RATE_PER_IDENTITY_PER_SECOND: "0",
      ...environment,
    },
    clock,
    operator: operator.address,
  });
  const http = createHttp(service);
  return { http, ...(await serve(http, service.config.http)) };
}

/** A shop of these prices, selling for {@link seller}; its records are in the chain's database. */
export function shopOf(
  chain: Pick<X402Chain, "usdc" | "database" | "runId" | "client">,
  facilitator: Facilitator,
  prices: string,
): Shop {
  const { sql } = chain.database;
  return {
    facilitator,
    sales: openSales(sql, clock, chain.runId),
    channels: openChannelStorage(sql, clock, chain.runId, { lockPromised }),
    onChain: (channelId) => channelOnChain(chain.client.reader, BATCH_SETTLEMENT_ADDRESS, channelId),
    isClaimable: (claim) =>
      isClaimable(
        chain.client.reader,
        { batchSettlement: BATCH_SETTLEMENT_ADDRESS, operator: operator.address },
        claim,
      ),
    prices: parsePrices(prices),
    payTo: seller,
    authorizer: {
      address: operator.address,
      signTypedData: (message) => operator.signTypedData(message as never),
    },
    token: { address: chain.usdc, ...domain },
    network,
    networkNames: networkNamesOf(chainId),
    onSale: () => {},
  };
}

/** What a run of the shop's claims, which remembers no earlier one, comes to. */
export const claimSales = (shop: Shop) => new SalesClaimer(shop, clock).run();

export function requirementsFor(
  usdc: Address,
  amount = 1_000n,
  payTo: Address = seller,
): PaymentRequirements {
  return {
    scheme: "exact",
    network,
    asset: usdc,
    amount: amount.toString(),
    payTo,
    maxTimeoutSeconds: 300,
    extra: domain,
  };
}

/** What the official client signs for these requirements. */
export async function pay(
  account: PrivateKeyAccount,
  requirements: PaymentRequirements,
): Promise<PaymentPayload> {
  const made = await new ExactEvmScheme(account).createPaymentPayload(2, requirements);
  return { ...made, x402Version: 2, accepted: requirements };
}

export const requestOf = (paymentPayload: unknown, paymentRequirements: unknown) => ({
  x402Version: 2,
  paymentPayload,
  paymentRequirements,
});

/** An authorization whose payer is a contract: it has no signature, the contract knows its digest. */
export function contractPayment(from: Address, requirements: PaymentRequirements) {
  const validBefore = BigInt(Math.floor(Date.now() / 1000) + 300);
  const message = {
    from,
    to: requirements.payTo as Address,
    value: BigInt(requirements.amount),
    validAfter: 0n,
    validBefore,
    nonce: toHex(randomBytes(32)),
  };
  const payload: PaymentPayload = {
    x402Version: 2,
    accepted: requirements,
    payload: {
      authorization: {
        ...message,
        value: requirements.amount,
        validAfter: "0",
        validBefore: validBefore.toString(),
      },
      // Read by nobody, and of no ECDSA length: the contract decides by the digest alone.
      signature: `0x${"00".repeat(96)}`,
    },
  };
  return { message, payload };
}

async function deployTreasury(client: ReturnType<typeof localClient>): Promise<Address> {
  const { bytecode }: { bytecode: Hex } = JSON.parse(await readFile(artifact, "utf8"));
  const owners = [devAccount(1).address, devAccount(2).address];
  const hash = await client.deployContract({ abi: treasuryAbi, bytecode, args: [owners, 2n, zeroAddress] });
  const { contractAddress } = await client.waitForTransactionReceipt({ hash });
  if (!contractAddress) throw new Error("the Treasury was not deployed");
  return getAddress(contractAddress);
}

/** Acts as the Treasury itself does after its owners' quorum. */
export async function asTreasury(
  { node, treasury }: X402Chain,
  functionName: "authorizeHash" | "setBudget" | "setCollector",
  args: readonly unknown[],
): Promise<void> {
  await node.client.impersonateAccount({ address: treasury });
  await node.client.setBalance({ address: treasury, value: 10n ** 18n });
  const data = encodeFunctionData({ abi: treasuryAbi as Abi, functionName, args });
  const hash = await node.client.sendTransaction({ account: treasury, to: treasury, data });
  await node.client.waitForTransactionReceipt({ hash });
  await node.client.stopImpersonatingAccount({ address: treasury });
}
