import type { z } from "zod";
import type { overview, wallet } from "./actions/schema.ts";

/** Read models that gather several nouns for a page. */
export interface Overviews {
  show(): Promise<z.input<typeof overview>>;
  wallets(): Promise<z.input<typeof wallet>[]>;
}
