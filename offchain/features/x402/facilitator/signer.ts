import { toFacilitatorEvmSigner } from "@x402/evm";
import type { Address, Hex } from "viem";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import type { SentTransaction } from "#offchain/platform/chain/port.ts";
import { calldataOf } from "../contract.ts";
import type { GuardedReader } from "./guardedReader.ts";

export type EvmSigner = ReturnType<typeof toFacilitatorEvmSigner>;

/** A call that settles a payment. */
export interface SettlingCall {
  to: Address;
  data: Hex;
}

/** This settlement has had its transaction already: a second one would be another payment. */
export class SecondTransaction extends Error {
  override readonly name = "SecondTransaction";
}

/**
 * What the official schemes read, verify and send through. Reading goes to the chain, by `guarded`; sending goes through `send`,
 * which resolves with a mined transaction.
 */
export function evmSigner(
  reader: ChainReader,
  guarded: Pick<GuardedReader, "ask">,
  address: Address,
  send: (call: SettlingCall) => Promise<SentTransaction>,
): EvmSigner {
  let hasSent = false;
  const deliver = async (call: SettlingCall): Promise<Hex> => {
    if (hasSent) throw new SecondTransaction(`a second call to ${call.to} in one settlement`);
    hasSent = true;
    const { hash } = await send(call);
    if (!hash) throw new Error("a mined transaction has no hash");
    return hash;
  };
  return toFacilitatorEvmSigner({
    address,
    readContract: (call) =>
      guarded.ask((bounded) => bounded.readContract(call as Parameters<ChainReader["readContract"]>[0])),
    verifyTypedData: (call) =>
      guarded.ask((bounded) =>
        bounded.verifyTypedData(call as unknown as Parameters<ChainReader["verifyTypedData"]>[0]),
      ),
    getCode: (call) => reader.getCode(call),
    writeContract: ({ address: to, ...call }) => deliver({ to, data: calldataOf(call) }),
    sendTransaction: ({ to, data }) => deliver({ to, data }),
    // What was sent is mined already, so the receipt is there or the node is ill.
    waitForTransactionReceipt: ({ hash }) => reader.getTransactionReceipt({ hash }),
  });
}

/** For verifying alone: nothing leaves. */
export const readingSigner = (
  reader: ChainReader,
  guarded: Pick<GuardedReader, "ask">,
  address: Address,
): EvmSigner =>
  evmSigner(reader, guarded, address, () => Promise.reject(new Error("verifying sends nothing")));
