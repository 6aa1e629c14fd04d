import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { ProgressNotice } from "@/features/approvals/ProgressNotice.tsx";
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

test("of a signature or transaction, only what may go another way is tried again", () => {
  const told = (error: Error) =>
    renderToStaticMarkup(
      createElement(ProgressNotice, {
        progress: { at: "failed", error, since: 0 },
        what: "execution",
        onRetry: () => {},
      }),
    );
  expect(told(new BursarError("QUORUM_MISSING", "one more"))).not.toContain("Try again</button>");
  expect(told(Object.assign(new Error("no"), { name: "ProposalDiffers" }))).not.toContain(
    "Try again</button>",
  );
  expect(told(new BursarError("OVERLOADED", "busy"))).toContain("Try again</button>");
  const unanswered = told(new BursarError("SERVICE_UNREACHABLE", "none", { facts: { method: "POST" } }));
  expect(unanswered).toContain("this page then says whether it was executed");
  expect(unanswered).toContain("Try again</button>");
});
