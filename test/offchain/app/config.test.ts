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
    const batch = readConfig({}).features.payments;
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
    expect(readConfig({ BURSAR_OPERATOR_KEY: largest }).chain.operatorKey).toBe(largest);
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
    expect(readConfig({ BURSAR_PRICES: '{"wallets.list":"0.001"}' }).features.x402.prices).toContain("0.001");
    for (const text of ["0.001", '{"wallets.list":0.001}', '{"wallets.list":"-1"}'])
      expect(faultsOf({ BURSAR_PRICES: text }).faults.map(({ variable }) => variable)).toEqual([
        "BURSAR_PRICES",
      ]);
  });

  it("takes symbols of chains' coins, and nothing that is none", () => {
    expect(readConfig({ BURSAR_NATIVE_COINS: "137=POL, 10=OP.e" }).chain.nativeCoins).toEqual([
      "137=POL",
      "10=OP.e",
    ]);
    for (const text of ["POL", "137=", "137=PO L", "137=POL=X", "x=POL", "137=\u202ePOL"])
      expect(faultsOf({ BURSAR_NATIVE_COINS: text }).faults.map(({ variable }) => variable)).toEqual([
        "BURSAR_NATIVE_COINS",
      ]);
  });

  it("does not repeat a bad secret", () => {
    const key = `0x${"ab".repeat(31)}`;
    expect(faultsOf({ BURSAR_OPERATOR_KEY: key }).message).not.toContain("abab");
  });

  it("is frozen to the last value", () => {
    const config = readConfig({});
    expect([config, ...Object.values(config), ...Object.values(config.features)].every(Object.isFrozen)).toBe(
      true,
    );
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
    const two = printableConfig(readConfig({ BURSAR_OTHER_CHAINS: "31338=http://127.0.0.1:8546" }));
    expect(two.BURSAR_OTHER_CHAINS).toBe("(redacted)");
  });

  it("warns of variables that look like settings and are none", () => {
    expect(unknownVariables({ BURSAR_BATCHSIZE: "9", BURSAR_PORT: "1", HOME: "/" })).toEqual([
      "BURSAR_BATCHSIZE",
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

it("every secret is known to what must not tell any, wherever it stands", () => {
  const key = `0x${"ab".repeat(32)}`;
  const secrets = secretsOf(
    readConfig({
      BURSAR_RPC_URL: "https://node.example/v2/SECRETKEY123?apikey=SECRET456789",
      BURSAR_OTHER_CHAINS: "31338=https://other.example/OTHERSECRET1",
      BURSAR_OPERATOR_KEY: key,
      DATABASE_URL: "postgres://bursar:db-password@db.example/bursar",
    }),
  );
  for (const secret of ["SECRETKEY123", "SECRET456789", "OTHERSECRET1", key, "db-password"])
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
