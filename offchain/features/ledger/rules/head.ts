/** How far a unit's hash chains go: that of its journal, and that of its holds. `rules` stands for suspensions, limits and fees. */
export interface LedgerHead {
  unit: string;
  /** Entries, and the newest one's hash, 64 hexadecimal digits; it binds all before it. */
  height: number;
  hash: string;
  /** The same of its holds. */
  openings: number;
  openingHash: string;
}
