/** What the order of a run is made of. */
export interface Task {
  readonly name: string;
  /** Names of tasks that must have ended before; those that are not part of the run are not waited for. */
  readonly after?: readonly string[];
}

/**
 * Runs every task once, up to `lanes` at a time: whenever a lane is free, the first of the list that waits for nothing.
 * So the list's order is a priority: a long task that stands early keeps one lane busy while the others go by.
 * @returns what each came to, in the list's order
 */
export function schedule<T extends Task, Result>(
  tasks: readonly T[],
  lanes: number,
  run: (task: T) => Promise<Result>,
): Promise<Result[]> {
  const waiting = [...tasks];
  const results = new Map<string, Result>();
  const chosen = new Set(tasks.map(({ name }) => name));
  const isReady = ({ after = [] }: T) => after.every((name) => !chosen.has(name) || results.has(name));

  return new Promise((resolve, reject) => {
    let busy = 0;
    const fill = (): void => {
      while (busy < lanes) {
        const task = waiting.find(isReady);
        if (!task) break;
        waiting.splice(waiting.indexOf(task), 1);
        busy += 1;
        run(task)
          .then((result) => {
            results.set(task.name, result);
            busy -= 1;
            fill();
          })
          .catch(reject);
      }
      if (busy > 0) return;
      if (waiting.length > 0)
        reject(new Error(`these wait for each other: ${waiting.map(({ name }) => name).join(", ")}`));
      // A map keeps the order in which tasks ended; the list's is what a reader knows.
      else resolve(tasks.map(({ name }) => results.get(name) as Result));
    };
    fill();
  });
}
