/** Tells a person what is being done. */
export interface Progress {
  say(what: string): void;
  /** Says what begins, that it goes on, and how long it took if that was long. `at` is how far it is. */
  during<Result>(what: string, work: (at: (where: string) => void) => Promise<Result>): Promise<Result>;
}

/** Only what begins, for whoever has a way of telling of their own. */
export const beginnings = (say: (what: string) => void): Progress => ({
  say,
  during(what, work) {
    say(what);
    return work(() => {});
  },
});

/** What is written to: a terminal's last line can be written over. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** Work that takes longer says so when it ends. */
const longMs = 2_000;
/** How often a line says that work goes on, and how often a terminal's last line is written again. */
const lineEveryMs = 5_000;
const redrawEveryMs = 500;

interface Task {
  what: string;
  where: string;
  beganAt: number;
}

/** Progress as lines with the seconds since the start; on a terminal the last line is always what goes on now. */
export class Teller implements Progress {
  private readonly out: Output;
  private readonly beganAt = performance.now();
  private readonly tasks = new Set<Task>();
  private timer: NodeJS.Timeout | null = null;
  private isDrawn = false;

  constructor(out: Output) {
    this.out = out;
  }

  say(what: string): void {
    this.beside(() => this.out.write(`${this.stamp()}  ${what}\n`));
  }

  /** Lets `print` write to the same terminal. */
  beside(print: () => void): void {
    if (this.isDrawn) this.out.write("\r\u001b[K");
    this.isDrawn = false;
    print();
    this.draw();
  }

  async during<Result>(
    what: string,
    work: (at: (where: string) => void) => Promise<Result>,
  ): Promise<Result> {
    const task: Task = { what, where: "", beganAt: performance.now() };
    this.say(what);
    this.tasks.add(task);
    this.timer ??= setInterval(() => this.goesOn(), this.out.isTTY ? redrawEveryMs : lineEveryMs);
    try {
      const result = await work((where) => {
        task.where = where;
      });
      this.end(task);
      if (performance.now() - task.beganAt >= longMs) this.say(`${what}: done in ${secondsSince(task)} s`);
      return result;
    } finally {
      this.end(task);
    }
  }

  private end(task: Task): void {
    this.tasks.delete(task);
    if (this.tasks.size > 0 || this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
    this.beside(() => {});
  }

  private goesOn(): void {
    if (this.out.isTTY) {
      this.beside(() => {});
      return;
    }
    const long = [...this.tasks].filter(({ beganAt }) => performance.now() - beganAt >= longMs);
    if (long.length > 0) this.say(`… ${long.map(describe).join("; ")}`);
  }

  private draw(): void {
    if (!this.out.isTTY || this.tasks.size === 0) return;
    const line = `${this.stamp()}  … ${[...this.tasks].map(describe).join("; ")}`;
    this.out.write(line.slice(0, (this.out.columns ?? 80) - 1));
    this.isDrawn = true;
  }

  private stamp(): string {
    return `${((performance.now() - this.beganAt) / 1_000).toFixed(1).padStart(6)} s`;
  }
}

const secondsSince = ({ beganAt }: Task): string => ((performance.now() - beganAt) / 1_000).toFixed(0);

const describe = (task: Task): string =>
  `${task.what}${task.where && `, ${task.where}`} (${secondsSince(task)} s)`;
