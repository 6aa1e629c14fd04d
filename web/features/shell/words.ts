import { spanText } from "@/lib/time.ts";

/** What stands around every page, and on the pages that are nobody's. */

export const shellWords = {
  description: "The treasury for autonomous AI agents",
  skip: "Skip to content",
} as const;

export const bannerWords = {
  label: "About this installation",
  localChain: "Local development chain: the money here is not real.",
  paused: {
    state: "The Treasury is paused: agents can spend nothing from it.",
    end: "Owners unpause it by a proposal; what they execute is still paid.",
  },
  /** Only what is more than a minute. */
  clock: (aheadMs: number) =>
    `This browser's clock is ${spanText(Math.abs(aheadMs))} ${aheadMs > 0 ? "behind" : "ahead of"} the service's: deadlines and times here are told by the service's.`,
  pauseUnknown: {
    state: "We could not read whether the Treasury is paused.",
    end: "Owners may have stopped all spending.",
  },
} as const;

export const themeWords = {
  label: "Theme",
  light: "Light",
  dark: "Dark",
  system: "Same as the system",
  /** The button that goes round. */
  next: {
    light: "Change to the light theme",
    dark: "Change to the dark theme",
    system: "Use the system's theme",
  },
} as const;

export const missingPage = {
  title: "There is no such page",
  text: "The address may be mistyped.",
  home: "Go to the overview",
} as const;

export const brokenPage = "This page broke";
