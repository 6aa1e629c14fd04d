import { randomUUID } from "node:crypto";
import type { LocalAccount } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { signRequests } from "#offchain/sdk/http/request.ts";

/** An answer of the service under test: whatever it is, as it came. */
export interface Answer {
  status: number;
  text: string;
  // The suite looks into answers of services that it does not know, so their shape is not known either.
  body: Record<string, unknown>;
}

/** Somebody who calls the service under test with requests signed as its API asks. */
export interface Party {
  address: string;
  /** The name of its account, as the service writes it. */
  account: string;
  get(path: string): Promise<Answer>;
  send(method: "POST" | "PUT" | "DELETE", path: string, body: unknown): Promise<Answer>;
}

export function party(url: string, chainId: number, account: LocalAccount): Party {
  const authorize = signRequests(account, chainId);
  /** A connection that breaks is tried again: every request may be sent again safely, which is itself under test. */
  const call = async (method: string, path: string, body: string, tries = 5): Promise<Answer> => {
    try {
      return await once(method, path, body);
    } catch (error) {
      if (tries <= 1 || !(error instanceof TypeError)) throw error;
      return call(method, path, body, tries - 1);
    }
  };
  const once = async (method: string, path: string, body: string): Promise<Answer> => {
    const headers = await authorize({ method, path, body, origin: new URL(url).origin });
    const response = await fetch(new URL(path, url), {
      method,
      headers: { ...headers, ...(body !== "" && { "content-type": "application/json" }) },
      ...(body !== "" && { body }),
    });
    const text = await response.text();
    return { status: response.status, text, body: parse(text) };
  };
  return {
    address: account.address,
    account: `agent:${account.address.toLowerCase()}`,
    get: (path) => call("GET", path, ""),
    send: (method, path, body) => call(method, path, typeof body === "string" ? body : JSON.stringify(body)),
  };
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { text };
  }
}

/** A broken invariant, with what was found. */
export class Broken extends Error {
  override readonly name = "Broken";
}

export const same = (got: unknown, wanted: unknown, what: string): void => {
  const [left, right] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (left !== right) throw new Broken(`${what}: got ${left}, wanted ${right}`);
};

export const newKey = (): string => randomUUID();

/** What an invariant works with: the operator, and fresh agents with money of their own. */
export class Context {
  readonly url: string;
  readonly operator: Party;
  private readonly chainId: number;

  constructor(url: string, chainId: number, operator: LocalAccount) {
    this.url = url;
    this.chainId = chainId;
    this.operator = party(url, chainId, operator);
  }

  /** A fresh agent with an open account and, if asked, money. */
  async agent(unit: string, amount = "0"): Promise<Party> {
    const made = party(this.url, this.chainId, privateKeyToAccount(generatePrivateKey()));
    await this.ok(made.send("POST", "/api/v1/ledger/accounts", { unit }));
    if (amount !== "0")
      await this.ok(
        this.operator.send("POST", "/api/v1/admin/tokens/issue", {
          key: newKey(),
          to: made.address,
          unit,
          amount,
        }),
      );
    return made;
  }

  async ok(answer: Promise<Answer>): Promise<Record<string, unknown>> {
    const { status, text, body } = await answer;
    if (status !== 200) throw new Broken(`answered ${status}: ${text.slice(0, 300)}`);
    return body;
  }

  /** Expects a refusal by name, and that the party's balances are what they were. */
  async refused(
    who: Party,
    unit: string,
    code: string,
    call: () => Promise<Answer>,
  ): Promise<Answer["body"]> {
    const before = await this.figures(who, unit);
    const { status, text, body } = await call();
    if (status < 400) throw new Broken(`was not refused: ${text.slice(0, 300)}`);
    same(body.error_code, code, "error_code");
    same(await this.figures(who, unit), before, "nothing changed");
    return body;
  }

  /** [balance, pending, available] as written. */
  async figures(who: Party, unit: string): Promise<string[]> {
    const { items } = await this.ok(who.get(`/api/v1/token/balance?unit=${unit}`));
    const [account] = items as Record<string, { amount: string }>[];
    return ["balance", "pending", "available"].map((name) => account?.[name]?.amount ?? "?");
  }
}
