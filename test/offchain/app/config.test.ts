import { describe, expect, it } from "vitest";
import {
  ConfigError,
  describeConfig,
  printableConfig,
  readConfig,
  secretsOf,
  unknownVariables,
} from "#offchain/app/config.ts";
import { chainFeature } from "#offchain/platform/feature.ts";

const faultsOf = (environment: Record<string, string>): ConfigError => {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error;
  }
  throw new Error("the environment was accepted");
};

describe("configuration", () => {
  it("closes a batch at 100 payments, a minute or a dollar when nothing is set", () => {
    const batch = readConfig({}).chains[0].features.payments;
    expect([batch.size, batch.maxDelayMs, batch.minAmount]).toEqual([100, 60_000, 1_000_000n]);
  });

  it("takes an empty variable as absent", () => {
    expect(readConfig({ BURSAR_PORT: " ", DATABASE_URL: "" }).http.port).toBe(4020);
  });

  it.each([
    ["BURSAR_RATE_EXEMPT_IPS", "rateExemptIps", ["127.0.0.1", "::1"]],
    ["BURSAR_CORS_ORIGINS", "corsOrigins", ["http://localhost:3000"]],
  ] as const)("empties the list %s by the word none, and says so", (variable, name, usual) => {
    expect(readConfig({ [variable]: "" }).http[name]).toEqual(usual);
    const emptied = readConfig({ [variable]: " none " });
    expect(emptied.http[name]).toEqual([]);
    expect(printableConfig(emptied)[variable]).toBe("none");
    expect(faultsOf({ [variable]: "none,nobody" }).faults[0]?.rule).toContain("or none");
    const line = describeConfig()
      .split("\n")
      .find((each) => each.startsWith(variable));
    expect(line).toContain("none = no");
  });

  it("does not take a list without a default to be emptied: none there could be taken for anybody", () => {
    expect(faultsOf({ BURSAR_X402_PAYEES: "none" }).faults).toHaveLength(1);
  });

  it.each([
    ["zero", `0x${"00".repeat(32)}`],
    ["the order", "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"],
    ["above it", `0x${"ff".repeat(32)}`],
    ["no hexadecimal number", `0x${"zz".repeat(32)}`],
  ])("refuses an operator key that is %s by its name, and does not tell it", (_, key) => {
    const { faults, message } = faultsOf({ BURSAR_OPERATOR_KEY: key });
    expect(faults).toMatchObject([{ variable: "BURSAR_OPERATOR_KEY", got: "a secret value" }]);
    expect(message).not.toContain(key);
    expect(message).not.toMatch(/\d{20}/);
  });

  it("takes the largest key that there is", () => {
    const largest = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140";
    expect(readConfig({ BURSAR_OPERATOR_KEY: largest }).chains[0].chain.operatorKey).toBe(largest);
  });

  it("names every bad variable with its rule at once", () => {
    const { faults } = faultsOf({
      BURSAR_PORT: "80x",
      BURSAR_BATCH_SIZE: "0",
      BURSAR_BATCH_MIN_AMOUNT: "1.1234567",
      BURSAR_CORS_ORIGINS: "http://localhost:3000/page",
    });
    expect(faults.map(({ variable }) => variable)).toEqual([
      "BURSAR_PORT",
      "BURSAR_CORS_ORIGINS",
      "BURSAR_BATCH_SIZE",
      "BURSAR_BATCH_MIN_AMOUNT",
    ]);
    expect(faults.find(({ variable }) => variable === "BURSAR_BATCH_SIZE")?.rule).toBe(
      "must be from 1 to 1000000",
    );
  });

  it("takes prices that can be read, and no others", () => {
    expect(
      readConfig({ BURSAR_PRICES: '{"wallets.list":"0.001"}' }).chains[0].features.x402.prices,
    ).toContain("0.001");
    for (const text of ["0.001", '{"wallets.list":0.001}', '{"wallets.list":"-1"}'])
      expect(faultsOf({ BURSAR_PRICES: text }).faults.map(({ variable }) => variable)).toEqual([
        "BURSAR_PRICES",
      ]);
  });

  it("takes the symbol of a chain's coin, and nothing that is none", () => {
    expect(readConfig({ BURSAR_NATIVE_COIN: "OP.e" }).chains[0].chain.nativeCoin).toBe("OP.e");
    for (const text of ["PO L", "POL=X", "1POL", "\u202ePOL", "POLPOLPOLPOLP"])
      expect(faultsOf({ BURSAR_NATIVE_COIN: text }).faults.map(({ variable }) => variable)).toEqual([
        "BURSAR_NATIVE_COIN",
      ]);
  });

  it("does not repeat a bad secret", () => {
    const key = `0x${"ab".repeat(31)}`;
    expect(faultsOf({ BURSAR_OPERATOR_KEY: key }).message).not.toContain("abab");
  });

  it("is frozen to the last value", () => {
    const config = readConfig({});
    const [chain] = config.chains;
    const parts = [config, config.features, chain, chain.features].flatMap((part) => [
      part,
      ...Object.values(part),
    ]);
    expect(parts.every(Object.isFrozen)).toBe(true);
  });

  it("prints without the database's password, the operator's key and the node's path", () => {
    const printed = JSON.stringify(
      printableConfig(
        readConfig({
          DATABASE_URL: "postgres://bursar:hunter2@db/bursar?sslpassword=hunter3",
          BURSAR_OPERATOR_KEY: `0x${"ab".repeat(32)}`,
          BURSAR_RPC_URL: "https://rpc.example/v3/project-key",
        }),
      ),
    );
    expect(printed).not.toMatch(/hunter|abab|project-key/);
    expect(printed).toContain("db/bursar");
    expect(printableConfig(readConfig({})).BURSAR_OTHER_CHAINS).toBe("(unset)");
  });

  it("warns of variables that look like settings and are none", () => {
    const environment = {
      BURSAR_BATCHSIZE: "9",
      BURSAR_PORT: "1",
      BURSAR_RPC_URL_31337: "http://127.0.0.1:8545",
      BURSAR_RPC_URL_31338: "http://127.0.0.1:8546",
      BURSAR_PORT_31337: "1",
      HOME: "/",
    };
    expect(unknownVariables(environment, readConfig(environment))).toEqual([
      "BURSAR_BATCHSIZE",
      "BURSAR_RPC_URL_31338",
      "BURSAR_PORT_31337",
    ]);
  });

  it("describes every variable on a line of its own", () => {
    const lines = describeConfig().split("\n");
    expect(lines.find((line) => line.startsWith("BURSAR_BATCH_MAX_DELAY_MS"))).toMatch(
      / 60000 .*closes a batch/,
    );
    expect(lines).toHaveLength(Object.keys(printableConfig(readConfig({}))).length);
  });
});

describe("settings of a chain", () => {
  const other = {
    BURSAR_OTHER_CHAINS: "137, 8453",
    BURSAR_RPC_URL_137: "http://polygon",
    BURSAR_RPC_URL_8453: "http://base",
  };

  it("are of all chains, unless one of them has its own", () => {
    const { chains } = readConfig({
      ...other,
      BURSAR_FINALITY_DEPTH_BLOCKS: "30",
      BURSAR_FINALITY_DEPTH_BLOCKS_137: "200",
      BURSAR_BATCH_SIZE_8453: "7",
    });
    expect(chains.map(({ chainId }) => chainId)).toEqual([31337, 137, 8453]);
    expect(chains.map(({ chain }) => chain.finalityDepthBlocks)).toEqual([30, 200, 30]);
    expect(chains.map(({ features }) => features.payments.size)).toEqual([100, 100, 7]);
  });

  it("that cannot be right on two chains are of the first alone", () => {
    const { chains } = readConfig({
      ...other,
      BURSAR_NATIVE_COIN: "ARC",
      BURSAR_NATIVE_COIN_137: "POL",
      BURSAR_NATIVE_PRICE: "1.00",
      BURSAR_NATIVE_PRICE_137: "0.25",
    });
    expect(chains.map(({ chain }) => [chain.rpcUrl, chain.nativeCoin])).toEqual([
      ["http://127.0.0.1:8545", "ARC"],
      ["http://polygon", "POL"],
      ["http://base", "ETH"],
    ]);
    expect(chains.map(({ features }) => features.payments.nativePrice)).toEqual([
      1_000_000n,
      250_000n,
      undefined,
    ]);
  });

  it("name a further chain's node, by the variable that is missing", () => {
    expect(faultsOf({ BURSAR_OTHER_CHAINS: "137" }).faults).toEqual([
      { variable: "BURSAR_RPC_URL_137", rule: "must be set", got: "nothing" },
    ]);
  });

  it("name each chain once", () => {
    for (const ids of ["31337", "137,137"])
      expect(faultsOf({ ...other, BURSAR_OTHER_CHAINS: ids }).faults).toMatchObject([
        {
          variable: "BURSAR_OTHER_CHAINS",
          rule: "must name each chain once, and not the one of BURSAR_CHAIN_ID",
        },
      ]);
  });

  it("are refused by the variable that says them, and once where all chains read it", () => {
    const { faults } = faultsOf({ ...other, BURSAR_BATCH_SIZE: "0", BURSAR_POLL_INTERVAL_MS_137: "x" });
    expect(faults.map(({ variable }) => variable).toSorted()).toEqual([
      "BURSAR_BATCH_SIZE",
      "BURSAR_POLL_INTERVAL_MS_137",
    ]);
  });

  it("are printed for a further chain where they differ", () => {
    const printed = printableConfig(
      readConfig({ ...other, BURSAR_BATCH_SIZE_137: "7", BURSAR_OPERATOR_KEY_137: `0x${"ab".repeat(32)}` }),
    );
    const ofOthers = Object.entries(printed).filter(([variable]) => /_(?:137|8453)$/.test(variable));
    expect(Object.fromEntries(ofOthers)).toEqual({
      BURSAR_RPC_URL_137: "http://polygon/",
      BURSAR_OPERATOR_KEY_137: "(redacted)",
      BURSAR_BATCH_SIZE_137: "7",
      BURSAR_RPC_URL_8453: "http://base/",
    });
  });
});

it("every secret is known to what must not tell any, wherever it stands", () => {
  const [key, otherKey] = [`0x${"ab".repeat(32)}`, `0x${"cd".repeat(32)}`];
  const secrets = secretsOf(
    readConfig({
      BURSAR_RPC_URL: "https://node.example/v2/SECRETKEY123?apikey=SECRET456789",
      BURSAR_OTHER_CHAINS: "31338",
      BURSAR_RPC_URL_31338: "https://other.example/OTHERSECRET1",
      BURSAR_OPERATOR_KEY_31338: otherKey,
      BURSAR_OPERATOR_KEY: key,
      DATABASE_URL: "postgres://bursar:db-password@db.example/bursar",
    }),
  );
  for (const secret of ["SECRETKEY123", "SECRET456789", "OTHERSECRET1", key, otherKey, "db-password"])
    expect(secrets).toContain(secret);
  expect(secretsOf(readConfig({}))).toEqual([]);
});

it.each(["http", "chain", "sender", "features"])(
  "refuses a feature called %s, whose settings would hide others",
  (name) => {
    const feature = chainFeature({ name, open: () => ({ service: {} }) });
    expect(() => readConfig({}, [feature])).toThrow(`a feature cannot be called ${name}`);
  },
);
