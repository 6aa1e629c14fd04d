import { NotReady, type Program, type ProgramOptions, startProgram } from "./process.ts";

/** The programs of a stack: they are stopped together, the last one first. */
export class Programs {
  private readonly running = new Set<Program>();
  private readonly lasting = new Set<Program>();
  private isStopping = false;
  private onFailed: (program: Program) => void = () => {};

  /** Resolves with the first program that should last and ends by itself. */
  readonly failed = new Promise<Program>((resolve) => {
    this.onFailed = resolve;
  });

  /** Starts one that lasts until it is stopped. */
  start(options: ProgramOptions): Program {
    const program = this.begin(options);
    this.lasting.add(program);
    void program.exited.then(() => {
      if (this.lasting.has(program) && !this.isStopping) this.onFailed(program);
    });
    return program;
  }

  /** Runs one that does its work and ends. @throws NotReady with its last words, if it fails. */
  async run(options: ProgramOptions, lastWords: () => Promise<string>): Promise<void> {
    const program = this.begin(options);
    const code = await program.exited;
    this.running.delete(program);
    if (code !== 0) throw new NotReady(`${options.name} failed (${code})\n${await lastWords()}`.trimEnd());
  }

  /** Kills one at once; that it ends is no failure. */
  async kill(program: Program): Promise<void> {
    this.running.delete(program);
    this.lasting.delete(program);
    program.child.kill("SIGKILL");
    await program.exited;
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    for (const program of [...this.running].toReversed()) await program.stop();
  }

  private begin(options: ProgramOptions): Program {
    if (this.isStopping) throw new NotReady(`${options.name} is not started: everything is being stopped`);
    const program = startProgram(options);
    this.running.add(program);
    return program;
  }
}
