import {
  encodeAbiParameters,
  getAbiItem,
  type Hex,
  hexToBigInt,
  keccak256,
  maxUint256,
  parseEther,
  parseUnits,
  toHex,
  zeroAddress,
  zeroHash,
} from "viem";
import bursar from "../../ignition/modules/Bursar.ts";
import type { Connection } from "./connection.ts";

/** Gas of agreements, stakes, subscriptions, identities, listings and auctions, among parties that are no newcomers. */
export async function serviceGas(connection: Connection): Promise<Record<string, bigint>> {
  const society = await standSociety(connection);
  return {
    ...(await escrowGas(society)),
    ...(await subscriptionGas(society)),
    ...(await stakingGas(society)),
    ...(await marketGas(society)),
    ...(await recordGas(society)),
  };
}

type Society = Awaited<ReturnType<typeof standSociety>>;

const price = parseUnits("10", 6);

/** All contracts, a buyer who lets them take its money, a seller and a validator. */
async function standSociety({ viem, ignition, networkHelpers }: Connection) {
  const client = await viem.getPublicClient();
  const [admin, , , , buyer, seller, validator] = await viem.getWalletClients();
  if (!admin || !buyer || !seller || !validator) throw new Error("the network has too few accounts");
  const set = await ignition.deploy(bursar);
  const asBuyer = { account: buyer.account.address };
  for (const spender of [set.escrow, set.subscription, set.marketplace])
    await set.usdc.write.approve([spender.address, maxUint256], asBuyer);
  const agreement = {
    buyer: buyer.account.address,
    seller: seller.account.address,
    token: set.usdc.address,
    milestones: [{ amount: price, deliverBy: Number((await client.getBlock()).timestamp) + 1_000_000 }],
    acceptBy: 0,
    reviewWindow: 86_400,
    arbiter: set.disputes.address,
    termsHash: keccak256(toHex("terms")),
  };
  return {
    set,
    agreement,
    parties: { admin, buyer, seller, validator },
    asBuyer,
    asSeller: { account: seller.account.address },
    asValidator: { account: validator.account.address },
    pass: (seconds: number) => networkHelpers.time.increase(seconds),
    gasOf: async (hash: Hex) => (await client.waitForTransactionReceipt({ hash })).gasUsed,
  };
}

async function escrowGas({ set: { escrow }, agreement, asBuyer, asSeller, gasOf }: Society) {
  const other = { ...agreement, termsHash: keccak256(toHex("other terms")) };
  await escrow.write.open([agreement], asBuyer);
  const open = await gasOf(await escrow.write.open([other], asBuyer));
  const [id, encoded] = numberOf(escrow.abi, agreement);
  return {
    "escrow: open": open,
    "escrow: submit": await gasOf(await escrow.write.submit([id, zeroHash, encoded], asSeller)),
    "escrow: complete (release of a delivery)": await gasOf(
      await escrow.write.complete([id, zeroHash, encoded], asBuyer),
    ),
    "escrow: release by the buyer": await gasOf(
      await escrow.write.release(numberOf(escrow.abi, other), asBuyer),
    ),
  };
}

/** An agreement's number, which is its hash, and the agreement as Escrow takes it. */
function numberOf(
  abi: Society["set"]["escrow"]["abi"],
  agreement: Society["agreement"],
): [id: bigint, encoded: Hex] {
  const encoded = encodeAbiParameters(getAbiItem({ abi, name: "open" }).inputs, [agreement]);
  return [hexToBigInt(keccak256(encoded)), encoded];
}

async function subscriptionGas({ set, asBuyer, asSeller, gasOf, pass }: Society) {
  const { subscription, usdc } = set;
  const plan = { token: usdc.address, grace: 3_600, period: 86_400, feeBps: 0, billing: 0, isActive: true };
  await subscription.write.createPlan([{ ...plan, merchant: usdc.address, price, trial: 0 }], asSeller);
  const subscribe = await gasOf(await subscription.write.subscribe([1n, price, 12], asBuyer));
  await subscription.write.charge([1n]);
  await pass(86_400);
  const charge = await gasOf(await subscription.write.charge([1n]));
  await subscription.write.collect([[1n]]);
  await pass(86_400);
  await subscription.write.charge([1n]);
  return {
    "subscription: subscribe": subscribe,
    "subscription: charge": charge,
    "subscription: collect": await gasOf(await subscription.write.collect([[1n]])),
  };
}

async function stakingGas({ set, parties, asBuyer, asSeller, asValidator, gasOf, pass }: Society) {
  const { agentToken, staking } = set;
  for (const { account } of Object.values(parties))
    await agentToken.write.approve([staking.address, maxUint256], { account: account.address });
  await staking.write.fund([parseEther("1000")]);
  await staking.write.registerValidator([1_000n], asValidator);
  const pool = parties.validator.account.address;
  const stake = parseEther("10");
  await staking.write.stake([pool, stake], asSeller);
  await pass(1_000);
  const first = await gasOf(await staking.write.stake([pool, stake], asBuyer));
  await pass(1_000);
  const further = await gasOf(await staking.write.stake([pool, stake], asBuyer));
  await pass(1_000);
  const claim = await gasOf(await staking.write.claim([pool], asBuyer));
  const unstake = await gasOf(await staking.write.unstake([pool, stake], asBuyer));
  await pass(Number(await staking.read.unbondingSeconds()));
  return {
    "staking: first stake": first,
    "staking: further stake": further,
    "staking: claim": claim,
    "staking: unstake": unstake,
    "staking: withdraw": await gasOf(await staking.write.withdraw([1n], asBuyer)),
  };
}

async function marketGas({ set, asBuyer, asSeller, gasOf }: Society) {
  const { identityRegistry, marketplace, usdc } = set;
  const register = await gasOf(await identityRegistry.write.register(["ipfs://agent"], asSeller));
  const listing = {
    agentId: 1n,
    owner: zeroAddress,
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
  const list = await gasOf(await marketplace.write.list([listing], asSeller));
  const purchase = async (id: bigint, key: string) =>
    gasOf(
      await marketplace.write.purchase(
        [{ listingId: id, price, resourcePolicy: 0, ref: keccak256(toHex(key)) }],
        asBuyer,
      ),
    );
  const atOnce = await purchase(1n, "one");
  await marketplace.write.list([{ ...listing, delivery: 1 }], asSeller);
  return {
    "identity: register": register,
    "marketplace: list": list,
    "marketplace: purchase, paid at once": atOnce,
    "marketplace: purchase, into escrow": await purchase(2n, "two"),
  };
}

async function recordGas({ set, parties: { admin, buyer, seller }, agreement, asBuyer, gasOf }: Society) {
  return {
    "reputation: signal with a ticket": await gasOf(
      await set.reputationRegistry.write.signalByAgreement(
        [1n, numberOf(set.escrow.abi, agreement)[0], agreement, true],
        asBuyer,
      ),
    ),
    "factory: a treasury of three": await gasOf(
      await set.treasuryFactory.write.createTreasury([
        [admin, buyer, seller].map(({ account }) => account.address),
        2n,
        zeroHash,
      ]),
    ),
    "anchor: a root": await gasOf(await set.receiptAnchor.write.anchor([0, 0n, keccak256("0x01"), 100n])),
  };
}
