/** Where the chain has a transaction, as far as one question tells; `silent`: it did not answer. */
export type Seen = "block" | "reverted" | "none" | "replaced" | "silent";

/** What became of it: it is in a block, or no more; the other two are the end. */
export type News = "block" | "gone" | "reverted" | "replaced";

/** Between two questions: while it is awaited, and while it is only watched. */
const awaitedEveryMs = 1_000;
const watchedEveryMs = 4_000;

/** One that has used its nonce may be in a block of which the node has yet to give the receipt. */
const looksUntilReplaced = 3;
/** A node that lags behind the one that was asked before knows nothing of the newest block. */
const looksUntilGone = 3;

/**
 * Follows a transaction until it has failed or is over: without an end while it is in no block, and also when it is in one,
 * for a reorganisation may take it out again.
 */
export async function follow(
  {
    look,
    tell,
    isOver,
    pause,
  }: {
    look: () => Promise<Seen>;
    tell: (news: News) => void;
    isOver: () => boolean;
    pause: (ms: number) => Promise<void>;
  },
  { isInBlock: wasInBlock }: { isInBlock: boolean },
): Promise<void> {
  let isInBlock = wasInBlock;
  let wasEverInBlock = wasInBlock;
  let replacedFor = 0;
  let goneFor = 0;
  while (!isOver()) {
    const seen = await look();
    if (isOver()) return;
    if (seen === "reverted") return tell(seen);
    replacedFor = seen === "replaced" ? replacedFor + 1 : 0;
    if (replacedFor >= looksUntilReplaced && !wasEverInBlock) return tell("replaced");
    if (seen === "block") {
      goneFor = 0;
      wasEverInBlock = true;
      if (!isInBlock) tell("block");
      isInBlock = true;
    } else if (seen !== "silent" && isInBlock) {
      goneFor += 1;
      if (goneFor >= looksUntilGone) {
        isInBlock = false;
        tell("gone");
      }
    }
    await pause(isInBlock && goneFor === 0 ? watchedEveryMs : awaitedEveryMs);
  }
}
