import { BursarError } from "#offchain/core/error.ts";

/** An agent's DID: did:pkh over its CAIP-10 account. */
export const didOf = (chainId: number, address: `0x${string}`): string =>
  `did:pkh:eip155:${chainId}:${address}`;

export const agentUnknown = (address: `0x${string}`): BursarError =>
  new BursarError(
    "AGENT_UNKNOWN",
    `no agent ${address} is registered here; it registers itself by agents.register`,
    { facts: { address } },
  );

/** What cannot be seen, or changes how what stands around it is shown: control, zero-width, bidi, blank and unassigned ones. */
const invisible = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/**
 * What a self-chosen name is made of. Quotation marks, brackets, colons and semicolons are not among it: a sentence that
 * quotes the name could end early, or go on as another one.
 */
const letter = String.raw`\p{L}\p{M}\p{N}\p{Extended_Pictographic}`;
const allowed = new RegExp(String.raw`^[${letter} .,'’&+\-_/@#!?*·]*$`, "u");
const refused = new RegExp(String.raw`[^${letter} .,'’&+\-_/@#!?*·]`, "gu");

/** Marks without a letter of their own, or heaps of them, are drawn over what stands beside the name. */
const looseMarks = /^\p{M}|\p{M}{4,}/u;

/** Letters that look like Latin ones: by the Latin letter, those of Cyrillic, Greek, and phonetic ones. */
const lookalikes: Readonly<Record<string, string>> = {
  a: "аΑαᴀɑ",
  b: "ВвΒβʙ",
  c: "СсᴄϹϲ",
  d: "ԁᴅ",
  e: "ЕеΕεᴇ",
  g: "ɢɡ",
  h: "НнΗһ",
  i: "ІіΙιɪı",
  j: "Јјᴊ",
  k: "КкΚκᴋ",
  l: "ӏӀʟ",
  m: "МмΜᴍ",
  n: "ΝηпɴՈո",
  o: "ОоΟοᴏօ",
  p: "РрΡρᴘ",
  q: "ԛ",
  r: "гʀ",
  s: "Ѕѕꜱ",
  t: "ТтΤτᴛ",
  u: "υцᴜս",
  v: "νѵᴠ",
  w: "ԝωᴡ",
  x: "ХхΧχ",
  y: "УуΥγʏ",
  z: "Ζζᴢ",
};
const latin = new Map(
  Object.entries(lookalikes).flatMap(([plain, others]) =>
    [...others].map((other) => [other, plain] as const),
  ),
);

/** In plain small Latin letters as far as it looks like them. */
const plainly = (text: string): string =>
  [...text.normalize("NFKD").replace(/\p{M}/gu, "")]
    .map((character) => latin.get(character) ?? character.toLowerCase())
    .join("");

/** What two names that are easily mistaken for each other have in common; "the Treasury 2" has it in common with "Treasury". */
const skeleton = (text: string): string =>
  plainly(text)
    .replace(/[^\p{L}\p{N}]/gu, "")
    .replace(/^(the|this|that|another)/, "")
    .replace(/\d*(contract)?\d*$/, "")
    .replaceAll("0", "o")
    .replaceAll("5", "s")
    .replaceAll(/[i1]/g, "l");

/** What the service itself calls contracts, coins and the parts that people play. */
export const reservedNames: readonly string[] = [
  ...["Bursar", "Operator", "Owner", "Owners", "System", "Native coin", "Self-chosen name", "Unnamed"],
  ...[
    "USDC",
    "EURC",
    "USD",
    "ETH",
    "Ether",
    "BTC",
    "VMC",
    "AVT",
    "Scrip",
    "TestUSDC",
    "Token",
    "Agent token",
  ],
  ...["Treasury", "Treasury factory", "Treasury implementation", "Scopes", "Key owner", "Key owner factory"],
  ...["Passkey verifier", "Escrow", "Clearing", "Staking", "Disputes"],
  ...[
    "Batch settlement",
    "Payment channels",
    "Deposit collector",
    "Erc3009 deposit collector",
    "Subscription",
  ],
  ...["Access manager", "Timelock controller", "Agent governor", "Parameter registry", "Identity registry"],
  ...["Reputation registry", "Validation registry", "Attestation verifier", "Marketplace", "Vickrey auction"],
  ...["Receipt anchor", "Multicall3", "Multicall"],
];
const reserved = new Set(reservedNames.map(skeleton));

/** `0x…`, also in letters that look so, or a long run of hexadecimal digits. */
const looksLikeAddress = (name: string): boolean =>
  /(^|[^a-z0-9])(0x|ox(?=[0-9a-f]{4}))/.test(plainly(name)) || /[0-9a-f]{12}/.test(plainly(name));

export const nameLengthMax = 64;

/** Why nobody may choose this name, as a rule; null: one may, if it is no longer than it may be. */
export function nameFault(name: string): string | null {
  if (name.replace(invisible, "") !== name)
    return "must have no control, zero-width, direction or other invisible character, and no space but the plain one";
  if (!allowed.test(name))
    return "must be of letters, digits, spaces and . , ' & + - _ / @ # ! ? * only: it is quoted where people sign";
  if (looseMarks.test(name)) return "must have at most three marks on a letter";
  if (!/[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(name)) return "must have a letter or digit";
  if (looksLikeAddress(name)) return "must not look like an address";
  if (reserved.has(skeleton(name))) return "must not be, or look like, a name that Bursar itself uses";
  return null;
}

/**
 * A stored name as it may be shown: one that was taken in before it was checked is cleaned first; null if nothing of it
 * may be shown.
 */
export function shownName(stored: string): string | null {
  const name = stored
    .replace(invisible, "")
    .replace(refused, "·")
    .replace(/ +/g, " ")
    .replace(/(\p{M}{3})\p{M}+/gu, "$1")
    .trim();
  return nameFault(name) === null ? name : null;
}
