import { x402Client, x402HTTPClient } from "@x402/core/client";
import type { PaymentPayload, PaymentRequired, PaymentRequirements, SettleResponse } from "@x402/core/types";
import {
  type BatchSettlementClientContext,
  BatchSettlementEvmScheme,
} from "@x402/evm/batch-settlement/client";
import { ExactEvmScheme } from "@x402/evm/exact/client";
import { keccak256, type LocalAccount, stringToHex } from "viem";
import type { States } from "../states.ts";

/** How a channel reads the chain, to find its state again; a viem public client does. */
export interface ContractReader {
  readContract(call: {
    address: `0x${string}`;
    abi: readonly unknown[];
    functionName: string;
    args?: readonly unknown[];
  }): Promise<unknown>;
}

/** Pays through channels of the batch-settlement scheme: a deposit first, then vouchers without a transaction. */
export interface ChannelOptions {
  reader: ContractReader;
  /** Channels to one receiver, used by turns: as many requests may be under way at once. */
  stripes?: number;
  /** The most that one deposit may take from the wallet, base units; 10 × `maxPrice` by default. */
  maxDeposit?: bigint;
}

export interface PaymentWayOptions {
  account: Pick<LocalAccount, "address" | "signTypedData">;
  network: `eip155:${number}`;
  asset: `0x${string}`;
  /** Base units. */
  maxPrice: bigint;
  states?: States;
  channels?: ChannelOptions;
}

/** Signs payments in one way. What it has signed and what came of it is told to it, so that its channel goes on. */
export interface PaymentWay {
  sign(required: PaymentRequired, requirements: PaymentRequirements): Promise<PaymentPayload>;
  /** @returns whether the channel's state was mended, so that a new payment would be taken */
  learn(
    payment: PaymentPayload,
    response: Response,
  ): Promise<{ recovered: boolean; receipt?: SettleResponse }>;
  /** Waits until this way is free; gives how to free it again. */
  take(): Promise<() => void>;
}

export interface PaymentWays {
  supports(scheme: string): boolean;
  /** The way for the next payment; null for a scheme that is not paid by. */
  next(scheme: string): PaymentWay | null;
  /** The way that signed this payment. */
  of(payment: PaymentPayload): PaymentWay | null;
}

/** The official schemes behind one interface: exact payments at any time, channels one request at a time and stripe. */
export function openPaymentWays(options: PaymentWayOptions): PaymentWays {
  const exact = wayOf(options, new ExactEvmScheme(options.account), options.maxPrice, null);
  const { channels, account, maxPrice } = options;
  const stripes = channels
    ? Array.from({ length: channels.stripes ?? 1 }, (_, at) => {
        const scheme = new BatchSettlementEvmScheme(
          {
            address: account.address,
            signTypedData: signer(account),
            readContract: (call) => channels.reader.readContract(call),
          },
          { salt: saltOf(at), ...(options.states && { storage: storageIn(options.states) }) },
        );
        return wayOf(options, scheme, channels.maxDeposit ?? 10n * maxPrice, line());
      })
    : [];
  let turn = 0;
  const supports = (scheme: string) =>
    scheme === "exact" || (scheme === "batch-settlement" && stripes.length > 0);
  return {
    supports,
    next(scheme) {
      if (!supports(scheme)) return null;
      if (scheme === "exact") return exact;
      turn = (turn + 1) % stripes.length;
      return stripes[turn] ?? null;
    },
    of({ accepted, payload }) {
      if (accepted.scheme === "exact") return exact;
      const { salt } = (payload.channelConfig ?? {}) as { salt?: string };
      return stripes[stripes.findIndex((_, at) => saltOf(at) === salt)] ?? null;
    },
  };
}

type Line = () => Promise<() => void>;

function wayOf(
  { network, asset }: PaymentWayOptions,
  client: ExactEvmScheme | BatchSettlementEvmScheme,
  cap: bigint,
  queue: Line | null,
): PaymentWay {
  const payer = x402Client.fromConfig({
    schemes: [{ network, client }],
    spendControls: { allowedAssets: [{ network, asset, maxAmountPerPayment: cap.toString() }] },
  });
  const http = new x402HTTPClient(payer);
  return {
    sign: (required, requirements) => payer.createPaymentPayload({ ...required, accepts: [requirements] }),
    async learn(payment, response) {
      const header = (name: string) => response.headers.get(name);
      const { recovered, settleResponse } = await http.processPaymentResult(payment, header, response.status);
      return { recovered, ...(settleResponse && { receipt: settleResponse }) };
    },
    take: queue ?? (async () => () => {}),
  };
}

/** One at a time, first come first served. */
function line(): Line {
  let last: Promise<void> = Promise.resolve();
  return async () => {
    let free = () => {};
    const earlier = last;
    last = new Promise((done) => {
      free = done;
    });
    await earlier;
    return free;
  };
}

const signer =
  (account: PaymentWayOptions["account"]): ConstructorParameters<typeof ExactEvmScheme>[0]["signTypedData"] =>
  (message) =>
    account.signTypedData(message as Parameters<typeof account.signTypedData>[0]);

/** The first stripe is the channel that any official client would use. */
const saltOf = (stripe: number): `0x${string}` =>
  stripe === 0 ? `0x${"00".repeat(32)}` : keccak256(stringToHex(`bursar stripe ${stripe}`));

const storageIn = (states: States) => ({
  get: async (key: string) =>
    ((await states.load(`x402-${key}`)) ?? undefined) as BatchSettlementClientContext | undefined,
  set: (key: string, context: BatchSettlementClientContext) => states.save(`x402-${key}`, context),
  delete: (key: string) => states.save(`x402-${key}`, null),
});
