import type { Proof } from "#offchain/core/call/caller.ts";
import { bytesOf } from "../database/bytes.ts";
import type { Sql } from "../database/database.ts";
import type { SeenRequests } from "./requests.ts";

/** The requests that were let in, in the database that all instances share. */
export const seenRequests = (sql: Sql): SeenRequests => ({
  async remember({ digest, endsAt }: Proof) {
    const added = await sql`
      INSERT INTO seen_request (digest, ends_at) VALUES (${bytesOf(digest)}, ${endsAt}) ON CONFLICT DO NOTHING`;
    if (added.count > 0) return { isFirst: true };
    const [seen] = await sql<{ answer: string | null }[]>`
      SELECT answer FROM seen_request WHERE digest = ${bytesOf(digest)}`;
    return { isFirst: false, answer: seen?.answer ?? null };
  },
  async keep({ digest }, answer) {
    await sql`UPDATE seen_request SET answer = ${answer} WHERE digest = ${bytesOf(digest)}`;
  },
  async forget(before) {
    const { count } = await sql`DELETE FROM seen_request WHERE ends_at < ${before}`;
    return count;
  },
});
