import { concatHex, type Hex, numberToHex } from "viem";
import bursar from "../../ignition/modules/Bursar.ts";
import type { Connection } from "./connection.ts";

/** What the bench of channels needs of Clearing. */
export interface ClearingStand {
  readonly address: Hex;
  /** Posts the payees' cumulative credits, waits the challenge window out, and pays them: the gas of both. */
  clear(payees: readonly Hex[], cumulative: bigint): Promise<{ post: bigint; payOut: bigint }>;
}

const challengeWindowSeconds = 86_400;

/** The deployed Clearing with its operator's bond in place. */
export async function standClearing(
  { viem, ignition, networkHelpers }: Connection,
  token: Hex,
): Promise<ClearingStand> {
  const client = await viem.getPublicClient();
  const { clearing } = await ignition.deploy(bursar);
  const gasOf = async (hash: Hex) => (await client.waitForTransactionReceipt({ hash })).gasUsed;
  let before: Hex = "0x";
  let epoch = 0n;

  return {
    address: clearing.address,
    async clear(payees, cumulative) {
      epoch += 1n;
      const rows = concatHex(
        payees
          .toSorted((one, other) => (one.toLowerCase() < other.toLowerCase() ? -1 : 1))
          .flatMap((payee) => [payee, numberToHex(cumulative, { size: 12 })]),
      );
      const post = await gasOf(await clearing.write.postRoot([token, epoch, rows, before]));
      before = rows;
      await networkHelpers.time.increase(challengeWindowSeconds);
      return { post, payOut: await gasOf(await clearing.write.payOut([token, epoch, rows])) };
    },
  };
}
