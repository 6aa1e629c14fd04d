import {
  encodeAbiParameters,
  getAbiItem,
  type Hex,
  keccak256,
  maxUint256,
  parseEther,
  parseUnits,
  toHex,
  zeroHash,
} from "viem";
import bursar from "../../ignition/modules/Bursar.ts";
import type { Connection } from "./connection.ts";

/** Gas of agreements, stakes, subscriptions, identities, listings and auctions, among parties that are no newcomers. */
export async function serviceGas({
  viem,
  ignition,
  networkHelpers,
}: Connection): Promise<Record<string, bigint>> {
  const client = await viem.getPublicClient();
  const [admin, , , , buyer, seller, validator] = await viem.getWalletClients();
  if (!admin || !buyer || !seller || !validator) throw new Error("the network has too few accounts");
  const set = await ignition.deploy(bursar);
  const { usdc, agentToken, staking, escrow, subscription, identityRegistry, marketplace } = set;
  const gasOf = async (hash: Hex) => (await client.waitForTransactionReceipt({ hash })).gasUsed;
  const [asBuyer, asSeller] = [{ account: buyer.account.address }, { account: seller.account.address }];
  const asValidator = { account: validator.account.address };
  const price = parseUnits("10", 6);
  const calls: Record<string, bigint> = {};

  for (const spender of [escrow, subscription, marketplace])
    await usdc.write.approve([spender.address, maxUint256], asBuyer);
  const agreement = {
    buyer: buyer.account.address,
    seller: seller.account.address,
    token: usdc.address,
    milestones: [price],
    deliverBy: Number((await client.getBlock()).timestamp) + 1_000_000,
    reviewWindow: 86_400,
    arbiter: set.disputes.address,
    termsHash: keccak256(toHex("terms")),
  };
  const encoded = encodeAbiParameters(getAbiItem({ abi: escrow.abi, name: "open" }).inputs, [agreement]);
  await escrow.write.open([agreement], asBuyer);
  calls["escrow: open"] = await gasOf(await escrow.write.open([agreement], asBuyer));
  calls["escrow: submit"] = await gasOf(await escrow.write.submit([1n, zeroHash, encoded], asSeller));
  calls["escrow: complete (release of a delivery)"] = await gasOf(
    await escrow.write.complete([1n, zeroHash, encoded], asBuyer),
  );
  calls["escrow: release by the buyer"] = await gasOf(await escrow.write.release([2n, encoded], asBuyer));

  await subscription.write.createPlan([usdc.address, price, 86_400, 0, false], asSeller);
  calls["subscription: subscribe"] = await gasOf(
    await subscription.write.subscribe([1n, price, 12], asBuyer),
  );
  await subscription.write.charge([1n]);
  await networkHelpers.time.increase(86_400);
  calls["subscription: charge"] = await gasOf(await subscription.write.charge([1n]));

  for (const { account } of [admin, buyer, seller, validator])
    await agentToken.write.approve([staking.address, maxUint256], { account: account.address });
  await staking.write.fund([parseEther("1000")]);
  await staking.write.registerValidator([1_000n], asValidator);
  const pool = validator.account.address;
  const stake = parseEther("10");
  await staking.write.stake([pool, stake], asSeller);
  await networkHelpers.time.increase(1_000);
  calls["staking: first stake"] = await gasOf(await staking.write.stake([pool, stake], asBuyer));
  await networkHelpers.time.increase(1_000);
  calls["staking: further stake"] = await gasOf(await staking.write.stake([pool, stake], asBuyer));
  await networkHelpers.time.increase(1_000);
  calls["staking: claim"] = await gasOf(await staking.write.claim([pool], asBuyer));
  calls["staking: unstake"] = await gasOf(await staking.write.unstake([pool, stake], asBuyer));
  await networkHelpers.time.increase(7 * 86_400);
  calls["staking: withdraw"] = await gasOf(await staking.write.withdraw([1n], asBuyer));

  calls["identity: register"] = await gasOf(
    await identityRegistry.write.register(["ipfs://agent"], asSeller),
  );
  const listing = {
    agentId: 1n,
    token: usdc.address,
    price,
    resourcePolicy: 0,
    delivery: 0,
    isActive: true,
    deliverySeconds: 86_400,
    reviewSeconds: 86_400,
    arbiter: set.disputes.address,
    metadataCID: "ipfs://listing",
  };
  calls["marketplace: list"] = await gasOf(await marketplace.write.list([listing], asSeller));
  calls["marketplace: purchase, paid at once"] = await gasOf(
    await marketplace.write.purchase([1n, price, keccak256(toHex("one"))], asBuyer),
  );
  await marketplace.write.list([{ ...listing, delivery: 1 }], asSeller);
  calls["marketplace: purchase, into escrow"] = await gasOf(
    await marketplace.write.purchase([2n, price, keccak256(toHex("two"))], asBuyer),
  );
  calls["reputation: signal with a ticket"] = await gasOf(
    await set.reputationRegistry.write.signalByAgreement([1n, 1n, agreement, true], asBuyer),
  );
  calls["factory: a treasury of three"] = await gasOf(
    await set.treasuryFactory.write.createTreasury([
      [admin, buyer, seller].map(({ account }) => account.address),
      2n,
      zeroHash,
    ]),
  );
  calls["anchor: a root"] = await gasOf(
    await set.receiptAnchor.write.anchor([0, 0n, keccak256("0x01"), 100n]),
  );
  return calls;
}
