import { expect, test } from "vitest";
import { findChannels } from "#offchain/features/payments/store/channels.ts";
import {
  addWithdrawal,
  dropWithdrawal,
  lessenWithdrawal,
} from "#offchain/features/payments/store/withdrawals.ts";
import { type Books, eachWithBooks } from "../../../support/books.ts";

let books: Books;

eachWithBooks((opened) => {
  books = opened;
});

test("a withdrawal is pending until it ends or is refunded, and each event is taken back exactly", async () => {
  const channelId = await books.openChannel();
  const { sql, runId } = books;
  const pending = async () => (await findChannels(sql, runId, [channelId]))[0]?.withdrawableAt;
  const seen: (number | null | undefined)[] = [];
  const step = async (run: Parameters<typeof books.begin>[0]) => {
    await books.begin(run);
    seen.push(await pending());
  };
  await step((tx) => addWithdrawal(tx, runId, channelId, { at: 5, left: 100n }));
  await step((tx) => lessenWithdrawal(tx, runId, channelId, 40n));
  await step((tx) => lessenWithdrawal(tx, runId, channelId, 60n));
  await step((tx) => addWithdrawal(tx, runId, channelId, { at: 9, left: 50n }));
  await step((tx) => addWithdrawal(tx, runId, channelId, null));
  await step((tx) => lessenWithdrawal(tx, runId, channelId, 10n));
  expect(seen).toEqual([5, 5, null, 9, null, null]);

  seen.length = 0;
  await step((tx) => lessenWithdrawal(tx, runId, channelId, -10n));
  await step((tx) => dropWithdrawal(tx, runId, channelId));
  await step((tx) => dropWithdrawal(tx, runId, channelId));
  await step((tx) => lessenWithdrawal(tx, runId, channelId, -60n));
  await step((tx) => lessenWithdrawal(tx, runId, channelId, -40n));
  await step((tx) => dropWithdrawal(tx, runId, channelId));
  expect(seen).toEqual([null, 9, null, 5, 5, null]);
});
