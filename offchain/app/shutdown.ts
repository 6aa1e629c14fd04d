import type { Log } from "#offchain/platform/observe/log.ts";

/** What is started is stopped in reverse order, each step once. */
export class Shutdown {
  private readonly steps: { name: string; stop: () => Promise<void> }[] = [];
  private running: Promise<void> | null = null;

  add(name: string, stop: () => Promise<void>): void {
    this.steps.push({ name, stop });
  }

  run(log: Log): Promise<void> {
    this.running ??= (async () => {
      for (const { name, stop } of this.steps.toReversed())
        await stop().catch((error: unknown) => log.error({ err: error }, `stopping ${name} failed`));
    })();
    return this.running;
  }
}
