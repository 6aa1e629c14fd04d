import { parseSignature, serializeCompactSignature, signatureToCompactSignature } from "viem";
import { expect, it } from "vitest";
import { createAuthenticate } from "#offchain/doors/http/authentication.ts";
import { recoverAddress } from "#offchain/platform/chain/signatures/secp256k1.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { account, chainId, startedAt } from "./door.ts";

const ada = account("ada");
const operator = account("operator");
const request = { method: "POST", path: "/api/v1/agents?x=1", body: '{"name":"Ada"}' };
const origin = "https://bursar.example";
const authenticate = createAuthenticate({
  now: () => startedAt,
  recoverAddress,
});
const meant = { chainIds: [chainId], operator: operator.address };
const bytes = (text: string) => new TextEncoder().encode(text);

async function signed(signer = ada, issuedAt = startedAt, chain = chainId, to = origin): Promise<string> {
  const headers = await signRequests(signer, chain, () => issuedAt)({ ...request, origin: to });
  return headers.authorization ?? "";
}

const asked = (authorization: string | undefined, changed: Partial<typeof request> = {}) => {
  const { method, path, body } = { ...request, ...changed };
  return () =>
    authenticate({ method, path, body: bytes(body), authorization, audiences: [origin], ...meant });
};

it("knows the agent that signed", async () => {
  expect(asked(await signed())()).toMatchObject({ role: "agent", address: ada.address });
});

it("knows the operator by the operator's key", async () => {
  expect(asked(await signed(operator))()).toMatchObject({ role: "operator" });
});

it("takes a caller without a header as anonymous", () => {
  expect(asked(undefined)()).toEqual({ role: "anonymous" });
});

it("tells what was signed, whatever form the signature has, and until when it could be sent again", async () => {
  const ahead = startedAt + 59_000;
  const [agent, at, signature] = (await signed(ada, ahead)).slice("EIP712 ".length).split(".");
  const compact = serializeCompactSignature(
    signatureToCompactSignature(parseSignature(signature as `0x${string}`)),
  );
  const [long, short] = [signature, compact].map((form) => asked(`EIP712 ${agent}.${at}.${form}`)());
  expect(long).toMatchObject({ proof: { endsAt: ahead + 60_000 } });
  expect(short).toEqual(long);
});

it("takes a compact signature", async () => {
  const [agent, at, signature] = (await signed()).slice("EIP712 ".length).split(".");
  const compact = serializeCompactSignature(
    signatureToCompactSignature(parseSignature(signature as `0x${string}`)),
  );
  expect(asked(`EIP712 ${agent}.${at}.${compact}`)()).toMatchObject({ role: "agent" });
});

it.each([
  ["method", { method: "PUT" }],
  ["path", { path: "/api/v1/agents?x=2" }],
  ["body", { body: '{"name":"Eve"}' }],
])("refuses the signature when the %s is another", async (_, changed) => {
  expect(asked(await signed(), changed)).toThrow(expect.objectContaining({ code: "SIGNATURE_INVALID" }));
});

it("takes a signature for any of the chains that are asked for, and for no other", async () => {
  const { method, path, body } = request;
  const given = await signed(ada, startedAt, 2);
  const caller = (chainIds: readonly number[]) =>
    authenticate({
      ...{ method, path, body: bytes(body), authorization: given, audiences: [origin] },
      ...{ ...meant, chainIds },
    });
  expect(caller([1, 2])).toMatchObject({ role: "agent", address: ada.address });
  expect(() => caller([1])).toThrow(expect.objectContaining({ code: "SIGNATURE_INVALID" }));
});

it("refuses a signature for another chain", async () => {
  expect(asked(await signed(ada, startedAt, 1))).toThrow(
    expect.objectContaining({ code: "SIGNATURE_INVALID" }),
  );
});

it("refuses a request that was signed for another service, though on the same chain", async () => {
  for (const to of ["https://other.example", "http://bursar.example", "https://bursar.example:8443", ""])
    expect(asked(await signed(ada, startedAt, chainId, to))).toThrow(
      expect.objectContaining({ code: "SIGNATURE_INVALID", message: expect.stringContaining(origin) }),
    );
});

it("refuses what is signed when nothing says where the service is reached", async () => {
  const { method, path, body } = request;
  const authorization = await signed();
  const sent = { method, path, body: bytes(body), authorization, audiences: [], ...meant };
  expect(() => authenticate(sent)).toThrow(
    expect.objectContaining({
      code: "SIGNATURE_INVALID",
      message: expect.stringContaining("BURSAR_PUBLIC_URLS"),
    }),
  );
});

it("refuses a signature in another's name", async () => {
  const stolen = (await signed()).replace(ada.address, account("eve").address);
  expect(asked(stolen)).toThrow(expect.objectContaining({ code: "SIGNATURE_INVALID" }));
});

it.each([-60_000, 60_000])("takes a request signed %s ms from now", async (off) => {
  expect(asked(await signed(ada, startedAt + off))()).toMatchObject({ role: "agent" });
});

it.each([-60_001, 60_001])("refuses a request signed %s ms from now", async (off) => {
  expect(asked(await signed(ada, startedAt + off))).toThrow(
    expect.objectContaining({ code: "SIGNATURE_EXPIRED" }),
  );
});

it.each(["Bearer x", "EIP712 0x12.1.0x34", "", `EIP712 ${ada.address}.1e9.0x${"11".repeat(65)}`])(
  "refuses the header %s",
  (header) => {
    expect(asked(header)).toThrow(expect.objectContaining({ code: "SIGNATURE_INVALID" }));
  },
);
