import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { actions } from "#offchain/app/features.ts";
import type { Role } from "#offchain/core/call/caller.ts";
import { eventually } from "../support/eventually.ts";
import { type OpenDoor, payment, refused, type Who } from "./behaviour.ts";
import { cursorAt, MemoryFeed } from "./http/streams/feedEvents.ts";
import { accepted, type SmallWorldOptions, smallWorld } from "./world.ts";

const [feed, messages] = ["events.list", "payments.pay"];

/** Nobody is exempt from rates, so that a door on this machine is bounded as one far away. */
const nobodyExempt = { BURSAR_RATE_EXEMPT_IPS: "none", BURSAR_RATE_PER_IP_PER_SECOND: "0" };

/** Bursar's actions, with another role on one. */
function withRole(name: string, role: Role) {
  const known = actions.get(name);
  if (!known) throw new Error(`no action ${name}`);
  return new Map([...actions, [name, { ...known, action: { ...known.action, role } }]]);
}

/** Payments that are all accepted. */
const pay: NonNullable<SmallWorldOptions["pay"]> = async (payments) =>
  payments.map(({ key }) => accepted({ key } as Parameters<typeof accepted>[0]));

/** What every door must do with streams, whatever it speaks. */
export function streamsAsADoor(name: string, openDoor: OpenDoor): void {
  const open = async (options: SmallWorldOptions = {}) => {
    const events = new MemoryFeed();
    events.add("one", "two");
    const world = smallWorld({
      events,
      pay,
      ...options,
      environment: { ...nobodyExempt, ...options.environment },
    });
    return { world, events, door: await openDoor(world) };
  };

  describe(`${name}, as every door,`, () => {
    it("follows a feed with its input", async () => {
      const { door } = await open();
      await using _ = door;
      expect(await door.follow("anonymous", feed, { cursor: cursorAt(1) })).toEqual({
        ok: true,
        output: [
          {
            place: cursorAt(2),
            event: "added",
            data: { event: "two", cursor: cursorAt(2), change: "added" },
          },
          { event: "confirmed", data: { confirmedTo: "0" } },
        ],
      });
    });

    it("streams no action that does not say so", async () => {
      const { door } = await open();
      await using _ = door;
      for (const action of ["agents.list", "agents.nothing"])
        expect(await door.follow("operator", action, {})).toMatchObject(refused("ROUTE_UNKNOWN"));
    });

    it("wants the action's role for its stream", async () => {
      const fed = await open({ actions: withRole(feed, "operator") });
      await using one = fed.door;
      expect(await one.follow("anonymous", feed, {})).toMatchObject(refused("SIGNATURE_MISSING"));
      expect(await one.follow("ada", feed, {})).toMatchObject(refused("FORBIDDEN"));
      expect(fed.events.asked).toEqual([]);
      expect(await one.follow("operator", feed, {})).toMatchObject({ ok: true });
      const paid = await open({ actions: withRole(messages, "agent") });
      await using other = paid.door;
      expect(await other.send("anonymous", messages, [payment])).toMatchObject([
        refused("SIGNATURE_MISSING"),
      ]);
      expect(paid.world.payments).toEqual([]);
      expect(await other.send("ada", messages, [payment])).toMatchObject([{ ok: true }]);
    });

    it("streams no action that has a price, and names the call that is paid", async () => {
      const { door, world, events } = await open({ prices: '{"events.list":"0.01","payments.pay":"0.01"}' });
      await using _ = door;
      const refusal = (action: string) => ({
        ok: false,
        error: {
          error_code: "FORBIDDEN",
          message: `${action} has a price here, which a stream cannot pay; call it and pay for each answer`,
          facts: { action },
        },
      });
      expect(await door.follow("operator", feed, {})).toMatchObject(refusal(feed));
      expect(await door.send("operator", messages, [payment])).toMatchObject([refusal(messages)]);
      expect([events.asked, world.payments]).toEqual([[], []]);
    });

    it("names every field that breaks a rule, of an opening and of each message, as a call does", async () => {
      const { door, world, events } = await open();
      await using _ = door;
      const long = "e".repeat(100);
      const opening = await door.follow("anonymous", feed, { event: long, contract: long });
      expect(opening).toMatchObject(refused("VALIDATION_INVALID_INPUT"));
      const fields = opening.ok ? [] : opening.error.validation_errors.map(({ field }) => field);
      expect([fields.sort(), events.asked]).toEqual([["contract", "event"], []]);
      const bad = { key: "k", channelId: "0x12", maxClaimableAmount: "-1" };
      const [called, [sent, good]] = [
        await door.call("anonymous", messages, bad),
        await door.send("anonymous", messages, [bad, payment]),
      ];
      expect(withoutId(sent)).toEqual(withoutId(called));
      expect(good).toMatchObject({ ok: true, output: { key: payment.key } });
      expect(world.payments).toHaveLength(1);
    });

    it("counts an opening as a request of its signer", async () => {
      const { door } = await open({
        environment: { BURSAR_RATE_PER_IDENTITY_PER_SECOND: "1", BURSAR_RATE_PER_IDENTITY_BURST: "1" },
      });
      await using _ = door;
      expect(await door.follow("ada", feed, {})).toMatchObject({ ok: true });
      expect(await door.send("ada", messages, [payment])).toMatchObject([refused("RATE_LIMITED")]);
      expect(await door.send("bob", messages, [payment])).toMatchObject([{ ok: true }]);
    });

    it("lets the messages of one signer wait over all its streams, and of that one alone", async () => {
      const { door, world } = await open({
        environment: { BURSAR_STREAM_RATE_PER_SECOND: "10", BURSAR_STREAM_RATE_BURST: "2" },
      });
      await using _ = door;
      const sending = async (who: Who, count: number) => {
        const outcomes = await door.send(who, messages, Array(count).fill(payment));
        expect(outcomes).toEqual(Array(count).fill(expect.objectContaining({ ok: true })));
      };
      await sending("ada", 1);
      const waiting = sending("ada", 2);
      await eventually(() => world.payments.length).toBe(2);
      await sending("bob", 2);
      // Who signs nothing is counted by where it is: leaving the signature out lifts no limit.
      const unsigned = sending("anonymous", 3);
      await eventually(() => world.payments.length).toBe(6);
      // The world's clock stands still, and several of the waits go by.
      await setTimeout(300);
      expect(world.payments).toHaveLength(6);
      world.time.now += 100;
      await Promise.all([waiting, unsigned]);
      expect(world.payments).toHaveLength(8);
    });
  });
}

/** All but the id, which is every call's own. */
function withoutId(outcome: unknown): unknown {
  const { error } = outcome as { error: Record<string, unknown> };
  return { ...error, request_id: undefined };
}
