import { BatchSettlementEvmScheme } from "@x402/evm/batch-settlement/client";
import { ExactEvmScheme } from "@x402/evm/exact/client";
import { x402Client } from "@x402/fetch";
import type { PrivateKeyAccount } from "viem/accounts";
import { network, type X402Chain } from "../../../support/x402.ts";

type Chain = Pick<X402Chain, "node" | "usdc">;

/** The official client's channels. */
export const channelScheme = ({ node }: Chain, account: PrivateKeyAccount) =>
  new BatchSettlementEvmScheme({
    address: account.address,
    signTypedData: (message) => account.signTypedData(message as never),
    readContract: (call) => node.client.readContract(call as never),
  });

/** The official client, paying by the given scheme. */
export function officialClient(
  chain: Chain,
  account: PrivateKeyAccount,
  scheme: "exact" | "batch-settlement",
  client = scheme === "exact" ? new ExactEvmScheme(account) : channelScheme(chain, account),
) {
  return x402Client.fromConfig({
    schemes: [{ network, client }],
    spendControls: { allowedAssets: [{ network, asset: chain.usdc, maxAmountPerPayment: "1000000" }] },
  });
}
