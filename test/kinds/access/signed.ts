import { ExactEvmScheme } from "@x402/evm/exact/client";
import { bytesToHex, createWalletClient, http, type LocalAccount } from "viem";
import { treasuryAbi } from "#contracts";
import { hardhat } from "#offchain/core/localChain.ts";
import { budgetEnd, faucetOn, setBudgets } from "#offchain/demo/setup.ts";
import { createClient } from "#offchain/sdk/client.ts";
import { channelId as idOf, type Signer, signDeposit, signVoucher } from "#offchain/sdk/paying/channel.ts";
import { typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import { signSpend } from "#offchain/sdk/treasury/treasury.ts";
import { benchAgent } from "../../../scripts/bench/parts/agents.ts";
import type { Machine } from "../../../scripts/fuzz/machine.ts";
import { chainId, contracts } from "../../../scripts/soak/wallets.ts";
import { account as developmentAccount, until } from "../../offchain/support/stack.ts";
import { domain, requestOf, requirementsFor } from "../../offchain/support/x402.ts";
import type { AgentName } from "./rules.ts";

/** What is sent with a signature inside, as whoever signs signs it. */

type Agents = Readonly<Record<AgentName, LocalAccount>>;

/** Another's name under this one's signature. */
export const inTheNameOf = ({ address }: Pick<Signer, "address">, signer: Signer): Signer => ({
  address,
  signTypedData: (message) => signer.signTypedData(message),
});

const usdc = { address: contracts.TestUSDC, ...domain };
/** Base units by which each voucher promises more. */
const step = 100n;
const anHourS = 3_600;
const inAnHour = () => BigInt(Math.floor(Date.now() / 1000) + anHourS);
const unused = () => bytesToHex(crypto.getRandomValues(new Uint8Array(32)));

/** The owner's channel to the payee, which has been paid through already. */
export async function openPaying(machine: Machine, { owner, payee }: Agents) {
  const agent = benchAgent(machine, "payer");
  const to = { payee: payee.address };
  const channelId = idOf(await agent.channelTerms(to), chainId);
  const client = createClient({ url: machine.apiUrl });
  const { accepted, ...channel } = await client.channels.show({ channelId });
  const { items } = await client.payments.list({ payer: owner.address });
  const [payment] = items;
  if (!payment) throw new Error("nothing was paid");
  let promised = BigInt(Math.round(Number(accepted.amount) * 1e6));
  let made = 0;
  return {
    channelId: channel.channelId,
    paymentId: payment.paymentId,
    batchId: payment.batchId,

    async voucher(signer: Signer) {
      promised += step;
      const signature = await signVoucher(signer, chainId, { channelId, maxClaimableAmount: promised });
      const maxClaimableAmount = promised.toString();
      const network = `eip155:${chainId}`;
      return { key: `voucher-${++made}`, channelId, network, maxClaimableAmount, signature };
    },

    async deposit(signer: Signer) {
      const config = await agent.channelTerms({ ...to, label: `${++made}` });
      const deposit = await signDeposit(signer, chainId, usdc, {
        channelId: idOf(config, chainId),
        amount: 1_000n,
        validAfter: 0n,
        validBefore: inAnHour(),
        salt: 1n,
      });
      return { config: { ...config }, deposit };
    },

    async x402Payment(signer: Signer) {
      const requirements = requirementsFor(contracts.TestUSDC, 1_000n, payee.address);
      const made = await new ExactEvmScheme(signer as LocalAccount).createPaymentPayload(2, requirements);
      return requestOf({ ...made, x402Version: 2, accepted: requirements }, requirements);
    },
  };
}

/** The Treasury's owners, a proposal that one of them has opened, and a budget of the owner's. */
export async function openTreasury({ rpcUrl, apiUrl }: Machine, { owner, payee }: Agents) {
  const [first, second] = [developmentAccount(1), developmentAccount(2)];
  const place = { chainId, address: contracts.Treasury } as const;
  const client = createClient({ url: apiUrl });
  const wallet = createWalletClient({ account: first, chain: hardhat, transport: http(rpcUrl) });
  const most = 1_000_000_000n;
  const terms = {
    perTransaction: most,
    approvalAbove: most,
    hourly: most,
    daily: most,
    weekly: most,
    monthly: most,
    validUntil: budgetEnd(),
    recipientsOnly: false,
  };
  const places = { usdc: contracts.TestUSDC, treasury: contracts.Treasury };
  await setBudgets(faucetOn(rpcUrl, chainId), places, [{ agent: owner.address, terms }]);

  async function propose() {
    const nonce = BigInt(Math.floor(Math.random() * 2 ** 48));
    await wallet.writeContract({
      address: contracts.Treasury,
      abi: treasuryAbi,
      functionName: "propose",
      args: [[{ to: payee.address, value: 0n, data: "0x" }], nonce, inAnHour()],
    });
    const find = async () =>
      (await client.treasury.proposals()).items.find((one) => one.nonce === `${nonce}`);
    const found = await until(find, Boolean);
    if (!found) throw new Error("the proposal is not followed");
    return found;
  }
  type Proposal = Awaited<ReturnType<typeof propose>>;
  const signed = async (proposal: Proposal, signer: Signer) => ({
    proposalId: proposal.proposalId,
    owner: second.address,
    signature: await signer.signTypedData(typedProposal(proposal, place)),
  });
  const open = await propose();
  return {
    proposalId: open.proposalId,
    treasuryOwner: second,
    approval: (signer: Signer) => signed(open, signer),
    /** Another proposal, which enough owners have approved. */
    async approved() {
      const proposal = await propose();
      await client.treasury.approve(await signed(proposal, second));
      return proposal.proposalId;
    },
    spend: (signer: Signer) =>
      signSpend(signer, place, {
        token: contracts.TestUSDC,
        to: payee.address,
        amount: 1_000n,
        reference: unused(),
        nonce: BigInt(unused()),
        validBefore: inAnHour(),
      }),
  };
}
