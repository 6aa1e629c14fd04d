import { expect, test } from "vitest";
import { openClearing } from "#offchain/features/clearing/clearing.ts";
import { cutEpoch } from "#offchain/features/clearing/jobs/cut.ts";
import { HubOffice } from "#offchain/features/clearing/office.ts";
import { addCredits } from "#offchain/features/clearing/store/credits.ts";
import { lockBooks } from "#offchain/features/payments/store/channels.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { type Books, eachWithBooks, hex } from "../../support/books.ts";

const token = hex(20);
const least = 10n;
let books: Books;
eachWithBooks((opened) => {
  books = opened;
});

const cut = () =>
  cutEpoch(
    { sql: books.sql, books: { lock: (tx, runId) => lockBooks(tx, runId, "alone") } },
    books.runId,
    least,
    books.now,
  );
const credit = (payee: string, amount: bigint) =>
  books.begin((tx) => addCredits(tx, books.runId, new Map([[payee, amount]]), books.now));

/** The hub, on a chain whose operator is `inOffice`. */
function openHub(from: Sql, inOffice: string, signed: object[] = []) {
  const { runId, operator } = books;
  const view = { runNow: () => runId, status: () => ({ runId, head: 0n, indexedTo: 0n }) };
  const contract = {
    token,
    operator: async () => ({ operator: inOffice, office: 3 }),
    terms: async () => ({ leastCredit: least, exitCap: 1n }),
    bondOf: async () => ({ bond: 5n, wanted: 5n }),
    received: async () => 0n,
    now: async () => 0,
    creditOf: async () => ({ settled: 0n, pending: 0n, paid: 0n }),
  };
  const clock = { now: () => 1_999 };
  const office = new HubOffice(contract as never, operator, clock);
  const signCredit = async (said: object) => {
    signed.push(said);
    return "0x";
  };
  const service = openClearing({ sql: from, clock, view, contract, operator, office, signCredit } as never);
  return { service, office };
}

test("what a standing signs is in the epoch that it names, though one is cut while it is read", async () => {
  const payee = hex(20);
  await credit(payee, 100n);
  // The first look at the credit takes so long that an epoch is cut and another payment booked meanwhile.
  const slow = ((strings: TemplateStringsArray, ...values: never[]) =>
    strings[0]?.includes("SELECT credited FROM clearing_payee")
      ? cut().then(async () => {
          await credit(payee, 50n);
          return books.sql(strings, ...values);
        })
      : books.sql(strings, ...values)) as unknown as Sql;
  const signed: object[] = [];
  const { receipt } = await openHub(slow, books.operator, signed).service.standing(payee);
  expect(signed).toMatchObject([{ cumulative: 150n, epoch: 2, office: 3, expiresAt: 1 + 21 * 86_400 }]);
  expect(receipt).toMatchObject({ cumulative: "150", epoch: 2, office: 3, expiresAt: 1 + 21 * 86_400 });
});

test("while another operator is in office, its word is asked for by nobody", async () => {
  const payee = hex(20);
  await credit(payee, 100n);
  const other = hex(20);
  const { service, office } = openHub(books.sql, other);
  expect(office.other, "nobody has asked the chain").toBeNull();
  expect(await service.isBonded()).toBe(false);
  expect(await service.office()).toBeNull();
  expect(office.other).toBe(other);
  expect((await service.standing(payee)).receipt).toBeNull();
  const own = openHub(books.sql, books.operator.toUpperCase().replace("0X", "0x"));
  expect(await own.service.isBonded()).toBe(true);
  expect(await own.service.office()).toBe(3);
  expect(own.office.other).toBeNull();
});
