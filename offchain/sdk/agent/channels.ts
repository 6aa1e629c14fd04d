import { isAddressEqual, keccak256, stringToHex } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import { pause } from "#offchain/core/pause.ts";
import { parseAmount, type UnitCode } from "#offchain/core/unit.ts";
import { assertAddresses } from "../paying/address.ts";
import { type ChannelTerms, channelId, type PayingToken, signDeposit } from "../paying/channel.ts";
import { type ChannelState, PayingChannel } from "../paying/payingChannel.ts";
import { openPaymentStream, type PaymentStream, type PaymentStreamOptions } from "../paymentStream.ts";
import { aDayFromNow, type Session } from "./session.ts";

export interface OpenRequest {
  /** Whom the channel pays, and nobody else; without one it is cleared: each payment names its payee. */
  payee?: `0x${string}`;
  /** Written amount in the channel's token, e.g. "5": what the channel shall hold at least, with all that it has paid. */
  deposit: string;
  /** Another token than USDC, which the service takes; direct channels only. See {@link PayingToken}. */
  token?: PayingToken;
  /** Tells several channels to the same payee apart. */
  label?: string;
  /** Takes the vouchers; without it each is a request of its own. Channels may share one. */
  stream?: PaymentStream;
}

const withdrawDelaySeconds = 86_400;
const openPollMs = 100;
const openTimeoutMs = 60_000;

/** An agent's payment channels. */
export function channelVerbs(session: Session) {
  const { account, url, chainId, clearing, states } = session.options;
  return {
    /**
     * Opens a channel, or takes up the one that is open. What its deposit lacks to `deposit` is signed over by ERC-3009,
     * and the service pays the gas: a larger one than before tops the channel up, a smaller one changes nothing.
     * With a payee it is direct: the contract pays him, and nobody is trusted. Without one it is cleared: one deposit
     * pays any agent, whom the operator credits, and owes by its signed receipt until Clearing pays.
     */
    async openChannel({
      payee = clearing,
      deposit: amount,
      label = "1",
      token = usdcOf(session),
      stream,
    }: OpenRequest): Promise<PayingChannel> {
      const config = await termsTo(session, payee, token, label);
      const id = channelId(config, chainId);
      const channel = await shown(session, id);
      const held = parseAmount(channel?.deposit.amount ?? "0", token.unit);
      const wanted = parseAmount(amount, token.unit);
      const salt = saltFor(channel?.deposits ?? 0, wanted);
      if (held < wanted) await deposit(session, config, token, { amount: wanted - held, salt });
      const { client } = session;
      const state = (await states.load(`channel-${id}`)) as ChannelState | null;
      const paying = new PayingChannel({
        client: stream
          ? { channels: client.channels, payments: { ...client.payments, pay: stream.pay } }
          : client,
        signer: account,
        chainId,
        channelId: id,
        unit: token.unit,
        isCleared: isAddressEqual(config.receiver, clearing),
        state,
        save: (newest) => states.save(`channel-${id}`, newest),
        retry: session.retry,
      });
      if (!state && channel && parseAmount(channel.accepted.amount, token.unit) > 0n) await paying.takeUp();
      return paying;
    },

    /**
     * The terms under which `openChannel` opens a channel: for a deposit that the payer sends to the chain itself, as it
     * must in a token whose ERC-3009 the scheme's collector does not speak. Once it is there, `openChannel` takes it up.
     */
    channelTerms: ({
      payee = clearing,
      token = usdcOf(session),
      label = "1",
    }: Omit<OpenRequest, "deposit">) => termsTo(session, payee, token, label),

    /** One connection for the vouchers of many channels, or for many vouchers at once. */
    openStream: (terms: Omit<PaymentStreamOptions, "url" | "chain"> = {}) =>
      openPaymentStream({ authorize: session.authorize, ...terms, url, chain: chainId }),

    /**
     * Adds to a channel's deposit; `count` numbers the deposits of the channel, the first one being 1.
     * @throws BursarError IDEMPOTENCY_CONFLICT for another amount under a used number
     */
    async topUp(
      { payee = clearing, deposit: amount, token = usdcOf(session), label = "1" }: OpenRequest,
      count: number,
    ): Promise<void> {
      const added = { amount: parseAmount(amount, token.unit), salt: BigInt(count) };
      await deposit(session, await termsTo(session, payee, token, label), token, added);
    },
  };
}

/**
 * Tells the deposits of a channel apart, the same for the same step: the first is 1, later ones are above every count.
 * @param before how many deposits of the channel the chain has seen
 */
const saltFor = (before: number, wanted: bigint): bigint =>
  before === 0 ? 1n : (BigInt(before) << 128n) + wanted;

/** Circle's USDC on every chain, and the local TestUSDC. */
const usdcOf = ({ options }: Session): PayingToken => ({
  unit: "USDC",
  address: options.usdc,
  name: "USD Coin",
  version: "2",
});

async function termsTo(
  session: Session,
  receiver: `0x${string}`,
  token: PayingToken,
  label: string,
): Promise<ChannelTerms> {
  const { account } = session.options;
  assertAddresses({ payee: receiver, "token.address": token.address });
  return {
    payer: account.address,
    payerAuthorizer: account.address,
    receiver,
    // Clearing has its own channels claimed, whoever operates it.
    receiverAuthorizer: isAddressEqual(receiver, session.options.clearing)
      ? receiver
      : await session.operator(),
    token: token.address,
    withdrawDelay: withdrawDelaySeconds,
    salt: keccak256(stringToHex(`bursar channel ${label}`)),
  };
}

async function deposit(
  session: Session,
  config: ChannelTerms,
  token: PayingToken,
  { amount, salt }: { amount: bigint; salt: bigint },
): Promise<void> {
  const { account, chainId } = session.options;
  const { unit } = token;
  const id = channelId(config, chainId);
  const before = await shown(session, id);
  const { transactionId } = await session.once({
    name: `deposit-${id}-${salt}`,
    key: `deposit ${salt} of channel ${id}`,
    facts: { amount: amount.toString() },
    sign: () =>
      signDeposit(account, chainId, token, {
        channelId: id,
        amount,
        validAfter: 0n,
        validBefore: aDayFromNow(session),
        salt,
      }),
    send: (signed) => session.client.channels.open({ config, deposit: signed }),
  });
  const held = parseAmount(before?.deposit.amount ?? "0", unit);
  await funded(session, { id, unit, before: held, transactionId });
}

const shown = ({ ask, client }: Session, id: `0x${string}`) =>
  ask(() => client.channels.show({ channelId: id })).catch((error: unknown) => {
    if (error instanceof BursarError && error.code === "CHANNEL_UNKNOWN") return null;
    throw error;
  });

/** Waits until the chain has the deposit. */
async function funded(
  session: Session,
  {
    id,
    unit,
    before,
    transactionId,
  }: { id: `0x${string}`; unit: UnitCode; before: bigint; transactionId: string | null },
): Promise<void> {
  for (const givenUpAt = performance.now() + openTimeoutMs; performance.now() < givenUpAt; ) {
    const channel = await shown(session, id);
    if (channel?.state === "open" && parseAmount(channel.deposit.amount, unit) > before) return;
    await pause(openPollMs, session.retry.signal);
  }
  throw new BursarError("CHANNEL_UNFUNDED", `the deposit of channel ${id} has not arrived on the chain`, {
    facts: { channelId: id, transactionId, timeoutMs: openTimeoutMs },
  });
}
