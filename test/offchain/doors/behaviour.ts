import { describe, expect, it } from "vitest";
import type { Outcome } from "#offchain/doors/memory/door.ts";
import { account, type SmallWorld, type SmallWorldOptions, smallWorld } from "./world.ts";

/** Who calls, by the name of the account that a door proves with. */
export type Who = "anonymous" | "ada" | "bob" | "operator";

/** Any door, as a test calls through it: its own protocol is translated to the outcome and back. */
export interface DoorUnderTest extends AsyncDisposable {
  call(who: Who, action: string, input: Record<string, unknown>): Promise<Outcome>;
  /** Opens a feed and gives what it tells until it is confirmed. */
  follow(who: Who, action: string, input: Record<string, unknown>): Promise<Outcome>;
  /** Opens a stream of messages and sends them, one after another; the one refusal where it does not open. */
  send(who: Who, action: string, messages: readonly Record<string, unknown>[]): Promise<Outcome[]>;
}

export type OpenDoor = (world: SmallWorld) => Promise<DoorUnderTest>;

const [ada, bob] = [account("ada"), account("bob")];
const registration = { address: ada.address, name: "Ada", role: "researcher" };

/** Nobody is exempt from rates, so that a door on this machine is bounded as one far away. */
const nobodyExempt = { BURSAR_RATE_EXEMPT_IPS: "none", BURSAR_RATE_PER_IP_PER_SECOND: "0" };

/** What every door must do, whatever it speaks. */
export function behavesAsADoor(name: string, openDoor: OpenDoor): void {
  const open = async (options: SmallWorldOptions = {}) => {
    const world = smallWorld({ ...options, environment: { ...nobodyExempt, ...options.environment } });
    return { world, door: await openDoor(world) };
  };

  describe(`${name}, as every door,`, () => {
    it("runs an action with its input and gives its output", async () => {
      const { door } = await open();
      await using _ = door;
      expect(await door.call("ada", "agents.register", registration)).toMatchObject({ ok: true });
      expect(await door.call("anonymous", "agents.show", { address: ada.address })).toMatchObject({
        ok: true,
        output: { name: "Ada", address: ada.address },
      });
    });

    it("has one shape for every error, with what to do next", async () => {
      const { door } = await open();
      await using _ = door;
      const outcome = await door.call("anonymous", "agents.show", { address: bob.address });
      expect(outcome).toEqual({
        ok: false,
        error: {
          error_code: "AGENT_UNKNOWN",
          message: expect.stringContaining(bob.address),
          validation_errors: [],
          facts: { address: bob.address },
          remedy: "fix",
          request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        },
      });
    });

    it("knows no action that is not declared", async () => {
      const { door } = await open();
      await using _ = door;
      expect(await door.call("operator", "agents.nothing", {})).toMatchObject(refused("ROUTE_UNKNOWN"));
    });

    it("wants a signature where an agent is needed, and the operator where only it may", async () => {
      const { door } = await open();
      await using _ = door;
      expect(await door.call("anonymous", "agents.register", registration)).toMatchObject(
        refused("SIGNATURE_MISSING"),
      );
      expect(await door.call("ada", "batches.flush", {})).toMatchObject(refused("FORBIDDEN"));
      expect(await door.call("operator", "batches.flush", {})).toMatchObject({ ok: true });
    });

    it("lets an agent register only itself", async () => {
      const { door } = await open();
      await using _ = door;
      const outcome = await door.call("bob", "agents.register", registration);
      expect(outcome).toMatchObject(refused("FORBIDDEN"));
      expect(outcome).toMatchObject({ error: { validation_errors: [{ field: "address" }] } });
    });

    it("names every field that breaks a rule, and runs nothing", async () => {
      const { door, world } = await open();
      await using _ = door;
      const outcome = await door.call("anonymous", "payments.pay", { key: "k", channelId: "0x12" });
      expect(outcome).toMatchObject(refused("VALIDATION_INVALID_INPUT"));
      const fields = outcome.ok ? [] : outcome.error.validation_errors.map(({ field }) => field);
      expect(fields).toEqual(expect.arrayContaining(["channelId", "network", "signature"]));
      expect(world.payments).toEqual([]);
    });

    it("gives the same answer to the same call again", async () => {
      const { door } = await open();
      await using _ = door;
      const first = await door.call("ada", "agents.register", registration);
      expect(await door.call("ada", "agents.register", registration)).toEqual(first);
    });

    it("bounds the rate of one identity, and of that one alone", async () => {
      const { door, world } = await open({
        environment: { BURSAR_RATE_PER_IDENTITY_PER_SECOND: "1", BURSAR_RATE_PER_IDENTITY_BURST: "1" },
      });
      await using _ = door;
      const register = (who: "ada" | "bob") =>
        door.call(who, "agents.register", { ...registration, address: account(who).address });
      expect(await register("ada")).toMatchObject({ ok: true });
      const refusal = await register("ada");
      expect(refusal).toMatchObject(refused("RATE_LIMITED"));
      expect(refusal).toMatchObject({ error: { facts: { identity: ada.address, perSecond: 1 } } });
      expect(await register("bob")).toMatchObject({ ok: true });
      world.time.now += 1_000;
      expect(await register("ada")).toMatchObject({ ok: true });
    });

    it("runs no priced action that is not paid", async () => {
      const { door, world } = await open({ prices: '{"payments.pay":"0.01"}' });
      await using _ = door;
      const outcome = await door.call("anonymous", "payments.pay", payment);
      expect([outcome.ok, world.payments]).toEqual([false, []]);
    });
  });
}

export const refused = (code: string) => ({ ok: false, error: { error_code: code } });

export const payment = {
  key: "k1",
  channelId: `0x${"11".repeat(32)}`,
  network: "eip155:31337",
  maxClaimableAmount: "100",
  signature: `0x${"22".repeat(65)}`,
};
