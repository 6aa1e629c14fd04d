import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { FailureNotice } from "@/ui/Notice.tsx";

const back = { href: "/approvals", label: "Approvals" };
const shown = (error: Error) =>
  renderToStaticMarkup(createElement(FailureNotice, { error, back, onRetry: () => {} }));

test("what is not known is not asked for again: the way goes back to the list", () => {
  const unknown = shown(new BursarError("PROPOSAL_UNKNOWN", "no proposal"));
  expect(unknown).toContain("Go back to Approvals");
  expect(unknown).not.toContain("Try again<");
  const busy = shown(new BursarError("OVERLOADED", "busy"));
  expect(busy).toContain("Try again</button>");
  expect(busy).not.toContain("Go back to");
});
