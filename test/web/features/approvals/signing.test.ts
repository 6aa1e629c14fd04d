import { expect, test } from "vitest";
import type { Progress } from "@/features/approvals/signing/progress.ts";
import { signEach } from "@/features/approvals/signing/signEach.ts";
import { proposalOf } from "../../support/proposal.ts";

const three = ["1", "2", "3"].map((nonce) => proposalOf(0, { nonce }));

/** Signs all three; `when` may stop it or refuse, at the step of the given name. */
async function signing(when: (step: string, stop: () => void) => void = () => {}) {
  let isStopped = false;
  const stop = () => {
    isStopped = true;
  };
  const [asked, sent, signed, moves] = [[], [], [], []] as [string[], string[], string[], Progress["at"][]];
  await signEach(three, {
    check: async ({ nonce }) => when(`check ${nonce}`, stop),
    async ask({ nonce }) {
      asked.push(nonce);
      when(`ask ${nonce}`, stop);
      return "0xabcd";
    },
    async send({ nonce }) {
      sent.push(nonce);
      when(`send ${nonce}`, stop);
    },
    isStopped: () => isStopped,
    move: ({ at }) => moves.push(at),
    onSigned: ({ nonce }) => signed.push(nonce),
  });
  return { asked, sent, signed, last: moves.at(-1) };
}

test("each is asked for, sent and told", async () =>
  expect(await signing()).toEqual({
    asked: ["1", "2", "3"],
    sent: ["1", "2", "3"],
    signed: ["1", "2", "3"],
    last: "done",
  }));

test("stopped while the wallet asks: one request, and the service hears of no signature", async () =>
  expect(await signing((step, stop) => step === "ask 1" && stop())).toEqual({
    asked: ["1"],
    sent: [],
    signed: [],
    last: "wallet",
  }));

test("stopped while the page itself still looks: the wallet is not asked", async () =>
  expect(await signing((step, stop) => step === "check 1" && stop())).toEqual({
    asked: [],
    sent: [],
    signed: [],
    last: "checking",
  }));

test("stopped while one is on its way to the service: it counts, and no other is asked for", async () =>
  expect(await signing((step, stop) => step === "send 1" && stop())).toEqual({
    asked: ["1"],
    sent: ["1"],
    signed: ["1"],
    last: "service",
  }));

test("a refusal stops the rest and is told; after a stop it is nobody's business", async () => {
  const refuse = () => {
    throw new Error("no");
  };
  expect(await signing((step) => step === "ask 2" && refuse())).toMatchObject({
    asked: ["1", "2"],
    sent: ["1"],
    last: "failed",
  });
  const stopped = await signing((step, stop) => {
    if (step !== "ask 1") return;
    stop();
    refuse();
  });
  expect(stopped).toMatchObject({ asked: ["1"], last: "wallet" });
});
