import { readCommand } from "#offchain/platform/commandLine.ts";

const usage = `node offchain/demo/main.ts [options]

Eight agents that buy work from each other over the public API, one JSON line of progress at a time.

  --api URL       the service             (http://127.0.0.1:4020)
  --rpc URL       the chain               (http://127.0.0.1:8545)
  --seed N        decides everything      (1)
  --rate N        payments per second, 0 = as fast as it goes (20; 0 with --once)
  --payments N    stop after N in all     (none; 2000 with --once)
  --direct        a channel to each partner, instead of one cleared deposit for all payees
  --data DIR      mnemonic and state      (data/demo)
  --once          stop after the payments and print a summary
  --approve       on the local chain: sign and execute proposals as two of its owners`;

/** What a run is told: by its command line, and the operator's key by the environment, where nobody else reads it. */
export interface Options {
  readonly api: string;
  readonly rpc: string;
  readonly data: string;
  readonly seed: number;
  /** Payments per second; 0: as fast as it goes. */
  readonly rate: number;
  /** After so many it stops; null: never. */
  readonly payments: number | null;
  readonly isDirect: boolean;
  readonly isApproving: boolean;
  readonly operatorKey: `0x${string}` | undefined;
}

/** @throws RangeError a number that is none */
export function readOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Options {
  const values = readCommand(
    usage,
    {
      api: { type: "string", default: "http://127.0.0.1:4020" },
      rpc: { type: "string", default: "http://127.0.0.1:8545" },
      seed: { type: "string", default: "1" },
      rate: { type: "string" },
      payments: { type: "string" },
      direct: { type: "boolean", default: false },
      data: { type: "string", default: "data/demo" },
      once: { type: "boolean", default: false },
      approve: { type: "boolean", default: false },
    },
    args,
  );
  const { api, rpc, data, once } = values;
  const isCounted = once || values.payments !== undefined;
  return {
    api,
    rpc,
    data,
    seed: whole("seed", values.seed),
    rate: whole("rate", values.rate ?? (once ? "0" : "20")),
    payments: isCounted ? whole("payments", values.payments ?? "2000") : null,
    isDirect: values.direct,
    isApproving: values.approve,
    operatorKey: environment.BURSAR_OPERATOR_KEY as `0x${string}` | undefined,
  };
}

function whole(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new RangeError(`--${name} must be a whole number, got ${text}`);
  return number;
}
