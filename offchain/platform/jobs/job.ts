/** Work of a feature that runs by itself, again and again. What is due is in the database: a run may be skipped or repeated. */
export interface Job {
  readonly name: string;
  readonly everyMs: number;
  /** One instance at a time runs it; the others pass. */
  readonly isExclusive?: boolean;
  run(): Promise<void>;
}
