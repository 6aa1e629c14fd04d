/** The directions of the house: `domain ← actions ← doors, jobs, agents ← main`; `store`, `chain`, `ports` serve `actions`. */

const inside = (...folders) => `^offchain/(${folders.join("|")})/`;
/** Everything of the house but these folders. */
const outside = (...folders) =>
  `^(offchain/(?!(${folders.join("|")})/)|web/|scripts/|contracts/(?!generated/))`;

const rule = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

module.exports = {
  forbidden: [
    rule(
      "no-cycles",
      "A circle of files cannot be understood one at a time.",
      {},
      {
        circular: true,
        viaOnly: { dependencyTypesNot: ["type-only"] },
      },
    ),
    rule(
      "domain-is-pure",
      "Rules know no chain, SQL, HTTP, files, clock or chance: what they need is an argument.",
      { path: inside("domain") },
      { pathNot: inside("domain") },
    ),
    rule(
      "actions-know-rules-only",
      "Actions own the interfaces that the outside implements; they import no implementation.",
      { path: inside("actions") },
      { path: outside("actions", "domain") },
    ),
    rule(
      "store-serves-actions",
      "The store implements what actions own; it knows no chain and no door.",
      { path: inside("store") },
      { path: outside("store", "actions", "domain") },
    ),
    rule(
      "ports-serve-actions",
      "The outside world behind small interfaces; no port knows the house.",
      { path: inside("ports") },
      { path: outside("ports", "actions", "domain") },
    ),
    rule(
      "chain-stands-on-store-and-ports",
      "The chain side writes through the store and signs through ports; it knows no door, job or agent.",
      { path: inside("chain") },
      { path: outside("chain", "store", "ports", "actions", "domain") },
    ),
    rule(
      "doors-know-actions-only",
      "Doors know no rules and no storage: they translate between a protocol and the actions.",
      { path: inside("doors") },
      { path: "^offchain/(?!(doors|actions|domain|observe)/|(config|settings)\\.ts)|^(web|scripts)/" },
    ),
    rule(
      "observe-watches",
      "Logs, metrics, health and events are used by others, not the other way round.",
      { path: inside("observe") },
      { path: "^offchain/(?!(observe|actions|domain)/|(config|settings)\\.ts)|^(web|scripts)/" },
    ),
    rule(
      "sdk-is-for-others",
      "What an agent imports brings no server with it.",
      { path: inside("sdk") },
      { path: outside("sdk", "actions", "domain") },
    ),
    rule(
      "sdk-carries-no-actions",
      "The SDK takes only types from actions, so that their schemas stay out of an agent's bundle.",
      { path: inside("sdk") },
      { path: inside("actions"), dependencyTypesNot: ["type-only"] },
    ),
    rule(
      "agents-use-the-sdk",
      "Agents meet the service as anybody does: over its API.",
      { path: inside("agents") },
      { path: outside("agents", "sdk", "domain") },
    ),
    rule(
      "nobody-imports-main",
      "main.ts is the only place that builds things, and the last.",
      {},
      { path: "^offchain/(main|agents/main)\\.ts$" },
    ),
    rule(
      "web-takes-contracts-and-types",
      "The page knows the contracts, and of the service its types and the client that an agent would use.",
      { path: "^web/" },
      {
        path: "^offchain/",
        pathNot: "^offchain/sdk/(client|proposal|request|solvency)\\.ts$",
        dependencyTypesNot: ["type-only"],
      },
    ),
    rule(
      "features-do-not-meet",
      "Features of the page never reach into each other.",
      { path: "^web/features/([^/]+)/" },
      { path: "^web/features/", pathNot: "^web/features/$1/" },
    ),
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
