import { type Hex, hexToBytes, zeroAddress } from "viem";

/** An argument of a call, and what it must be: IScopes.Rule. */
interface Rule {
  readonly path: Hex;
  readonly test: number;
  readonly values: readonly Hex[];
}

/** How addresses and tokens are told in a sentence. */
interface Telling {
  party(address: unknown): string;
  token(address: unknown): string;
}

type Arguments = Readonly<Record<string, unknown>>;

/** The sentences about what agents may call, for the service and for the page that checks it. */
export const scopeVerbs: Readonly<Record<string, (args: Arguments, telling: Telling) => string>> = {
  allowCall({ spender, target, selector, token, rules }, telling) {
    const call = `Let ${telling.party(spender)} call the function ${selector} of ${telling.party(target)}`;
    const taking =
      token === zeroAddress
        ? "which may take no token"
        : `which may take ${telling.token(token)} within its budget`;
    const asked = (rules as readonly Rule[]).map((rule) => ruleInWords(rule, telling)).join(" and ");
    return `${call}, ${taking}, ${asked === "" ? "with any arguments" : `where ${asked}`}`;
  },
  forbidCall: ({ treasury, spender, target, selector }, { party }) =>
    `Let ${party(spender)} no longer call the function ${selector} of ${party(target)} for ${party(treasury)}`,
};

const [oneOf, atMost] = [0, 1];

function ruleInWords({ path, test, values }: Rule, { party }: Telling): string {
  const argument = `argument ${[...hexToBytes(path)].map((word) => word + 1).join(".")}`;
  if (test === atMost) return `${argument} is at most ${BigInt(values[0] ?? "0x0")}`;
  if (test !== oneOf) return `${argument} is this Treasury's address`;
  const said = values.map((value) => wordInWords(value, party));
  return `${argument} is ${said.length === 1 ? "" : "one of "}${said.join(", ")}`;
}

/** An argument may be of any type: what is as large as addresses are is told as one, and what is larger as bytes. */
function wordInWords(word: Hex, party: Telling["party"]): string {
  const value = BigInt(word);
  if (value < 2n ** 96n) return value.toString();
  return value < 2n ** 160n ? party(`0x${word.slice(-40)}`) : word;
}
