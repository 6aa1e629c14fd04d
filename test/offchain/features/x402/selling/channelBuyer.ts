import { randomBytes } from "node:crypto";
import type { PaymentRequired, PaymentRequirements } from "@x402/core/types";
import { type Address, type Hex, numberToHex, toHex, zeroAddress } from "viem";
import type { PrivateKeyAccount } from "viem/accounts";
import { batchSettlementAbi, testUsdcAbi } from "#contracts";
import { signDeposit, signVoucher } from "#offchain/sdk/paying/channel.ts";
import { BATCH_SETTLEMENT_ADDRESS } from "../../../../../scripts/contracts/canonical.ts";
import { devAccount } from "../../../support/node.ts";
import { mint } from "../../../support/token.ts";
import { chainId, domain, seller, type X402Chain } from "../../../support/x402.ts";

const settlement = { address: BATCH_SETTLEMENT_ADDRESS, abi: batchSettlementAbi } as const;
/** For channels that are filled in advance: anybody may. */
const funder = devAccount(3);

type Chain = Pick<X402Chain, "node" | "usdc">;

export async function channelTerms(url: string): Promise<PaymentRequirements> {
  const header = (await fetch(url)).headers.get("payment-required") ?? "";
  const { accepts } = JSON.parse(Buffer.from(header, "base64").toString()) as PaymentRequired;
  const terms = accepts.find(({ scheme }) => scheme === "batch-settlement");
  if (!terms) throw new Error("channels are not taken");
  return terms;
}

export function channelConfigOf(
  chain: Chain,
  { extra }: PaymentRequirements,
  payer: Address,
  payerAuthorizer: Address = payer,
) {
  const { receiverAuthorizer, withdrawDelay } = extra as {
    receiverAuthorizer: Address;
    withdrawDelay: number;
  };
  const salt = toHex(randomBytes(32));
  return {
    payer,
    payerAuthorizer,
    receiver: seller,
    receiverAuthorizer,
    token: chain.usdc,
    withdrawDelay,
    salt,
  };
}

type Config = ReturnType<typeof channelConfigOf>;

export async function fundChannel({ node, usdc }: Chain, config: Config, amount: bigint): Promise<Hex> {
  const { client } = node;
  const mined = async (hash: Hex) => void (await client.waitForTransactionReceipt({ hash }));
  const token = { account: funder, address: usdc, abi: testUsdcAbi } as const;
  const channelId = await client.readContract({
    ...settlement,
    functionName: "getChannelId",
    args: [config],
  });
  if (amount === 0n) return channelId;
  await mint(node, usdc, [[funder.address, amount]]);
  await mined(
    await client.writeContract({ ...token, functionName: "approve", args: [settlement.address, amount] }),
  );
  await mined(
    await client.writeContract({
      account: funder,
      ...settlement,
      functionName: "deposit",
      args: [config, amount, zeroAddress, "0x"],
    }),
  );
  return channelId;
}

export async function sendPayment(url: string, accepted: PaymentRequirements, payload: object) {
  const body = JSON.stringify({ x402Version: 2, accepted, payload });
  const headers = { "payment-signature": Buffer.from(body).toString("base64") };
  const response = await fetch(url, { headers });
  const refused = read(response.headers.get("payment-response")).errorReason;
  const reason = refused ?? read(response.headers.get("payment-required")).error ?? "";
  return { status: response.status, text: await response.text(), reason };
}

const read = (header: string | null): { error?: string; errorReason?: string } =>
  header ? JSON.parse(Buffer.from(header, "base64").toString()) : {};

/** Buys by one channel of a key, with every payment in its own hands. */
export async function openBuyer(chain: Chain, url: string, payer: PrivateKeyAccount, funds: bigint) {
  const accepted = await channelTerms(url);
  const channelConfig = channelConfigOf(chain, accepted, payer.address);
  const channelId = await fundChannel(chain, channelConfig, funds);
  const { client } = chain.node;

  async function voucher(max: bigint) {
    const signature = await signVoucher(payer, chainId, { channelId, maxClaimableAmount: max });
    return { channelId, maxClaimableAmount: max.toString(), signature };
  }
  const send = (payload: object, to = url) => sendPayment(to, accepted, { channelConfig, ...payload });

  async function asPayer(functionName: "initiateWithdraw" | "finalizeWithdraw", args: readonly unknown[]) {
    await client.impersonateAccount({ address: payer.address });
    await client.setBalance({ address: payer.address, value: 10n ** 18n });
    const call = { account: payer.address, ...settlement, functionName, args } as const;
    await client.waitForTransactionReceipt({ hash: await client.writeContract(call as never) });
  }

  return {
    channelConfig,
    channelId,
    voucher,
    send,
    buy: async (max: bigint, to = url) => send({ type: "voucher", voucher: await voucher(max) }, to),
    refund: async (max: bigint, more: object = {}) =>
      send({ type: "refund", voucher: await voucher(max), ...more }),
    async deposit(max: bigint, amount: bigint) {
      const salt = BigInt(toHex(randomBytes(32)));
      // The chain's clock may have been moved.
      const validBefore = (await client.getBlock()).timestamp + 300n;
      const token = { address: chain.usdc, ...domain };
      const terms = { channelId, amount, validAfter: 0n, validBefore, salt };
      const { signature } = await signDeposit(payer, chainId, token, terms);
      const erc3009Authorization = {
        validAfter: "0",
        validBefore: validBefore.toString(),
        salt: numberToHex(salt, { size: 32 }),
        signature,
      };
      return {
        type: "deposit",
        voucher: await voucher(max),
        deposit: { amount: amount.toString(), authorization: { erc3009Authorization } },
      };
    },
    held: () => client.readContract({ ...settlement, functionName: "channels", args: [channelId] }),
    initiateWithdraw: (amount: bigint) => asPayer("initiateWithdraw", [channelConfig, amount]),
    finalizeWithdraw: () => asPayer("finalizeWithdraw", [channelConfig]),
  };
}
