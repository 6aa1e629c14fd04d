import { zeroAddress } from "viem";
import { beyondAnyBalance, isEndless, noLimit } from "#offchain/features/treasury/rules.ts";
import type { Call } from "@/lib/model.ts";
import { budgetLimits } from "../rules.ts";
import type { Decoded } from "./decoding.ts";

type Warning = Call["warnings"][number];
type Terms = Readonly<Record<(typeof budgetLimits)[number], bigint>> & { readonly validUntil: number };

const windows = ["hourly", "daily", "weekly", "monthly"] as const;

function warningsOfBudget(terms: Terms): Warning[] {
  const isWithout = (limit: (typeof budgetLimits)[number]) => terms[limit] >= noLimit;
  return [
    ...(windows.every(isWithout) ? ["unlimitedBudget" as const] : []),
    ...(isEndless(terms.validUntil) ? ["noExpiry" as const] : []),
    ...(budgetLimits.some(isWithout) ? ["missingLimit" as const] : []),
  ];
}

function warningsOfTreasury({ name, inputs, args }: Decoded): Warning[] {
  const named = Object.fromEntries(inputs.map((input, at) => [input.name, args[at]]));
  switch (name) {
    case "addOwner":
    case "removeOwner":
    case "replaceOwner":
    case "setThreshold":
      return ["changesOwners"];
    case "unfreeze":
    case "unpause":
      return ["liftsStop"];
    case "setBudget":
    case "lowerBudget":
      return warningsOfBudget(named.terms as Terms);
    case "setDelay":
      return named.delay === 0n ? [] : ["paysUnapproved"];
    case "migrate":
      return ["movesEverything"];
    case "setCollector":
      return named.settlement === zeroAddress ? [] : ["trustsCollector"];
    case "authorizeHash":
      return ["blankSignature"];
    default:
      return [];
  }
}

/** What follows from the data that whoever signs should stop at: more of it may be warned of, and none left out. */
export function warningsOf(
  decoded: Decoded,
  /** `isPlain`: function and arguments are told as they are, and that nothing is said of what they bring about. */
  {
    isToken,
    isScopes,
    isElsewhere,
    isPlain,
  }: { isToken: boolean; isScopes: boolean; isElsewhere: boolean; isPlain: boolean },
): Warning[] {
  if (isPlain) return ["notExplained"];
  if (isScopes) return decoded.name === "allowCall" ? ["allowsCalls"] : [];
  if (isToken) {
    const isUnlimited = decoded.name === "approve" && (decoded.args[1] as bigint) >= beyondAnyBalance;
    return isUnlimited ? ["unlimitedApproval"] : [];
  }
  return [...(isElsewhere ? ["otherTreasury" as const] : []), ...warningsOfTreasury(decoded)];
}
