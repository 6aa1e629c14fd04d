import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  encodeAbiParameters,
  getAbiItem,
  type Hex,
  hexToBigInt,
  keccak256,
  maxUint256,
  stringToHex,
  zeroHash,
} from "viem";
import { shippedNetwork } from "../support/shippedNetwork.ts";

/** Room for a change; the exact figures are what bench:gas prints and checks. */
const limits = {
  escrowOpen: 110_000,
  escrowComplete: 60_000,
  escrowRelease: 62_000,
  subscriptionCharge: 65_000,
};

/** Gas of whole transactions, with parties who hold the token already. */
describe("Escrow and Subscription gas", async () => {
  const { viem, networkHelpers } = await shippedNetwork();
  const client = await viem.getPublicClient();
  const [admin, buyer, seller] = await viem.getWalletClients();
  assert(admin && buyer && seller);
  const gasOf = async (hash: Hex) => Number((await client.waitForTransactionReceipt({ hash })).gasUsed);

  const token = await viem.deployContract("TestUSDC", [admin.account.address]);
  const escrow = await viem.deployContract("Escrow", [token.address, "ipfs://meta"]);
  const manager = await viem.deployContract("AccessManager", [admin.account.address]);
  const registry = await viem.deployContract("ParameterRegistry", [
    manager.address,
    [{ name: stringToHex("subscriptionFeeBps", { size: 32 }), floor: 0n, ceiling: 1_000n, value: 0n }],
  ]);
  const subscription = await viem.deployContract("Subscription", [registry.address, admin.account.address]);
  for (const { account } of [buyer, seller]) {
    await token.write.mint([account.address, 10n ** 12n]);
    for (const spender of [escrow.address, subscription.address])
      await token.write.approve([spender, maxUint256], { account });
  }
  const openAbi = getAbiItem({ abi: escrow.abi, name: "open" });
  const agreement = {
    buyer: buyer.account.address,
    seller: seller.account.address,
    token: token.address,
    milestones: [{ amount: 10n ** 8n, deliverBy: Number((await client.getBlock()).timestamp) + 1_000_000 }],
    acceptBy: 0,
    reviewWindow: 86_400,
    arbiter: admin.account.address,
    termsHash: zeroHash as Hex,
  };
  const other = { ...agreement, termsHash: stringToHex("other", { size: 32 }) };
  const encode = (terms: typeof agreement) => {
    const encoded = encodeAbiParameters(openAbi.inputs, [terms]);
    return [hexToBigInt(keccak256(encoded)), encoded] as const;
  };
  const open = async (terms: typeof agreement) =>
    gasOf(await escrow.write.open([terms], { account: buyer.account }));

  it("stays within the bounds", async (context) => {
    await open(agreement);
    const escrowOpen = await open(other);
    const escrowRelease = await gasOf(
      await escrow.write.release(encode(agreement), { account: buyer.account }),
    );
    const [id, encoded] = encode(other);
    await escrow.write.submit([id, zeroHash, encoded], { account: seller.account });
    const escrowComplete = await gasOf(
      await escrow.write.complete([id, zeroHash, encoded], { account: buyer.account }),
    );
    const plan = { token: token.address, price: 10n ** 6n, period: 86_400, grace: 3_600, trial: 0 };
    const merchant = seller.account.address;
    await subscription.write.createPlan([{ ...plan, merchant, billing: 0, isActive: true, feeBps: 0 }], {
      account: seller.account,
    });
    await subscription.write.subscribe([1n, 10n ** 6n, 10], { account: buyer.account });
    await subscription.write.charge([1n]);
    await networkHelpers.time.increase(86_400);
    const subscriptionCharge = await gasOf(await subscription.write.charge([1n]));
    const figures = { escrowOpen, escrowRelease, escrowComplete, subscriptionCharge };
    context.diagnostic(JSON.stringify(figures));
    for (const [name, gas] of Object.entries(figures))
      assert(gas <= limits[name as keyof typeof limits], `${name}: ${gas}`);
  });
});
