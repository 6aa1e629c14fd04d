import { z } from "zod";

/** What whoever signs a call should stop at, for programs and pages alike. */
export const warningCodes = [
  /** It sends the chain's native coin along. */
  "nativeValue",
  /** Its data cannot be read, so its words do not say what it does. */
  "unreadableData",
  /** Function and arguments are told, what they bring about is not. */
  "notExplained",
  /** It calls a contract whose functions the service does not know. */
  "unknownContract",
  /** It is about a token that the service is not configured with: its amounts are base units. */
  "unknownToken",
  /** It lets somebody take more of a token than the Treasury will ever have. */
  "unlimitedApproval",
  /** One limit of a budget is none. */
  "missingLimit",
  /** No hour, day, week or month limits a budget. */
  "unlimitedBudget",
  /** A budget never ends. */
  "noExpiry",
  /** It changes who the owners are, or how many of them decide. */
  "changesOwners",
  /** It lifts a freeze or the pause. */
  "liftsStop",
  /** It lets another contract move the Treasury's money. */
  "trustsCollector",
  /** It lets payments be made that no owner has approved. */
  "paysUnapproved",
  /** It lets an agent make calls in the Treasury's name. */
  "allowsCalls",
  /** It moves all that the Treasury holds. */
  "movesEverything",
  /** It makes the Treasury's signature under a hash valid, whatever the hash stands for. */
  "blankSignature",
  /** It calls another Treasury than the one that it is proposed in. */
  "otherTreasury",
] as const;

export const warning = z.enum(warningCodes);
export type Warning = z.output<typeof warning>;
