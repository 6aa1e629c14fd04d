/** The directions of the house: `core ← platform ← features ← app ← doors ← main`; see docs/architecture.md. */

const rule = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

/** Which feature may use which, and only its face (below). A new edge is a decision: it is added here. */
const edges = {
  agents: [],
  carbon: [],
  ledger: [],
  events: [],
  energy: ["ledger", "carbon"],
  payments: ["ledger", "agents", "energy"],
  anchors: ["ledger"],
  clearing: ["payments"],
  treasury: ["agents"],
  x402: ["payments", "energy", "carbon"],
  solvency: ["ledger", "payments", "clearing", "x402"],
  overview: ["agents", "carbon", "ledger", "energy", "payments", "clearing", "treasury"],
};
/** Any feature may import what another one signs, decides, offers, tells the live stream, or how its nouns cross the API. */
const face = "(service|rules|messages|schema|streamEvents)(/|\\.ts$)";

const featureRules = Object.entries(edges).flatMap(([feature, others]) => [
  rule(
    `${feature}-listed-edges`,
    `${feature} uses ${others.length > 0 ? others.join(", ") : "no other feature"}; a new edge is added to the list in this file.`,
    { path: `^offchain/features/${feature}/` },
    {
      path: "^offchain/features/",
      pathNot: [
        `^offchain/features/${feature}/`,
        ...others.map((other) => `^offchain/features/${other}/${face}`),
      ],
    },
  ),
]);

module.exports = {
  forbidden: [
    rule(
      "no-cycles",
      "A circle of files cannot be understood one at a time; one of types only cannot either.",
      {},
      { circular: true },
    ),
    rule(
      "core-is-pure",
      "Core knows no chain, SQL, HTTP, files, clock or chance: what it needs is an argument, and a browser can load it.",
      { path: "^offchain/core/" },
      { path: "^(offchain|web|scripts|contracts)/", pathNot: "^offchain/core/" },
    ),
    rule(
      "core-needs-no-node",
      "A browser can load core.",
      { path: "^offchain/core/" },
      { dependencyTypes: ["core"] },
    ),
    rule(
      "platform-knows-no-feature",
      "What every feature stands on knows none of them.",
      { path: "^offchain/platform/" },
      { path: "^(offchain/(?!(core|platform)/)|web/|scripts/)" },
    ),
    rule(
      "platform-knows-no-contract",
      "A feature declares the contracts that it works with; their ABIs are its own.",
      { path: "^offchain/platform/" },
      { path: "^contracts/generated/abi" },
    ),
    rule(
      "features-stand-on-the-platform",
      "A feature knows core, the platform and what a feature is; no door, no other part of the service.",
      { path: "^offchain/features/" },
      { path: "^(offchain/(?!(core|platform|features)/)|web/|scripts/)" },
    ),
    rule(
      "app-knows-no-door",
      "The service is opened without any protocol.",
      { path: "^offchain/app/" },
      { path: "^(offchain/(doors|sdk|demo|main)|web/|scripts/)" },
    ),
    rule(
      "app-names-features-once",
      "Features stand in one list; the pipeline of a call, and whatever else is of the app, knows none by name.",
      { path: "^offchain/app/", pathNot: "^offchain/app/features\\.ts$" },
      { path: "^offchain/features/" },
    ),
    rule(
      "doors-know-the-app",
      "A door translates between a protocol and the pipeline of a call: it reaches into no feature.",
      { path: "^offchain/doors/" },
      { path: "^(offchain/(?!(doors|app|core|platform)/)|web/|scripts/)" },
    ),
    rule(
      "rules-are-pure",
      "Rules, messages and the ledger's books in memory know core only: time, ids and chance are arguments.",
      { path: "^offchain/features/[^/]+/(rules|messages|books)(/|\\.ts$)" },
      {
        path: "^(offchain|web|scripts)/",
        pathNot: "^offchain/core/|^offchain/features/[^/]+/(rules|messages|books)(/|\\.ts$)",
      },
    ),
    rule(
      "stores-know-rules",
      "A store takes values: it knows its feature's rules and the database, no service, contract or action. The sender's table of transactions is the platform's outbox, into which rows of features point; the runs of a chain say which rows are the chain's.",
      { path: "^offchain/features/([^/]+)/store(/|\\.ts$)" },
      {
        path: "^offchain/(features/|platform/(?!database/|chain/runStore|chain/sender/(transactionStore|keyStore)))",
        pathNot:
          "^offchain/features/$1/(store|rules|messages|books)(/|\\.ts$)|^offchain/features/[^/]+/(rules|messages|service)(/|\\.ts$)",
      },
    ),
    rule(
      "transactions-go-by-the-port",
      "A feature hands transactions over by `Transactions` (chain/port.ts), inside its own transaction if need be; only its stores join the table.",
      { path: "^offchain/features/", pathNot: "^offchain/features/[^/]+/store(/|\\.ts$)" },
      { path: "^offchain/platform/chain/sender/" },
    ),
    rule(
      "actions-know-the-service",
      "An action sees its own feature's service, schemas, rules and other actions: no store, no contract.",
      { path: "^offchain/features/([^/]+)/actions/" },
      {
        path: "^offchain/(features/|platform/)",
        pathNot: "^offchain/features/[^/]+/(service|rules|messages|schema|actions)(/|\\.ts$)",
      },
    ),
    rule(
      "sdk-is-for-others",
      "What an agent imports brings no server with it: core, and what a feature signs and decides.",
      { path: "^offchain/sdk/" },
      {
        path: "^(offchain|web|scripts)/",
        pathNot: "^offchain/(sdk|core)/|^offchain/features/[^/]+/(messages|rules)(/|\\.ts$)",
        dependencyTypesNot: ["type-only"],
      },
    ),
    rule(
      "demo-uses-the-sdk",
      "Demo agents meet the service as anybody does: over its API.",
      { path: "^offchain/demo/" },
      {
        path: "^(offchain/(?!((demo|sdk|core)/|platform/commandLine\\.ts))|web/|scripts/)",
        dependencyTypesNot: ["type-only"],
      },
    ),
    rule(
      "nobody-imports-main",
      "main.ts builds the service, and is the last.",
      {},
      { path: "^offchain/(main|demo/main)\\.ts$" },
    ),
    rule(
      "web-takes-contracts-and-types",
      "The page knows the contracts, and of the service its types, its messages and the client that an agent would use.",
      { path: "^web/" },
      {
        path: "^offchain/",
        pathNot: "^offchain/(sdk/|core/|features/[^/]+/(messages|rules)(/|\\.ts$))",
        dependencyTypesNot: ["type-only"],
      },
    ),
    rule(
      "page-features-do-not-meet",
      "Features of the page never reach into each other.",
      { path: "^web/features/([^/]+)/" },
      { path: "^web/features/", pathNot: "^web/features/$1/" },
    ),
    ...featureRules,
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^web/\\.next/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "types", "default"],
      extensions: [".ts", ".tsx", ".js", ".mjs", ".cjs", ".json"],
    },
  },
};
