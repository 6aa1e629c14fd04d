/**
 * Keeps what was used lately and forgets the rest: at least the last `kept` entries that were asked for or set, at most
 * twice as many.
 */
export class RecentMap<Key, Value extends object> {
  readonly #kept: number;
  #recent = new Map<Key, Value>();
  #older = new Map<Key, Value>();

  constructor(kept: number) {
    this.#kept = kept;
  }

  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  get(key: Key): Value | undefined {
    const recent = this.#recent.get(key);
    if (recent) return recent;
    const older = this.#older.get(key);
    if (older) this.set(key, older);
    return older;
  }

  has(key: Key): boolean {
    return this.get(key) !== undefined;
  }

  set(key: Key, value: Value): void {
    this.#older.delete(key);
    if (!this.#recent.has(key) && this.#recent.size >= this.#kept) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, value);
  }
}
