import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Linux counts processor time in hundredths of a second (USER_HZ), whatever the kernel's own clock. */
const tickMs = 10;

/**
 * Processor time so far, ms, of this process and of the PostgreSQL server in the folder with all its helpers. Unlike a
 * rate it does not depend on what else the machine does. Null where there is no /proc.
 */
export async function processorMs(dataDir: string): Promise<number | null> {
  const { user, system } = process.cpuUsage();
  const postmaster = Number.parseInt(await readFile(join(dataDir, "postmaster.pid"), "utf8"), 10);
  const names = await readdir("/proc").catch(() => null);
  if (names === null) return null;
  const stats = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        const text = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
        // The second field, the name in brackets, may hold blanks; the third is the state.
        const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
        return {
          pid: Number(name),
          parent: Number(fields[1]),
          ticks: Number(fields[11]) + Number(fields[12]),
          // Of helpers that have ended and been waited for.
          endedTicks: Number(fields[13]) + Number(fields[14]),
        };
      }),
  );
  const server = stats.filter(({ pid, parent }) => pid === postmaster || parent === postmaster);
  const ticks = server.reduce(
    (sum, stat) => sum + stat.ticks + (stat.pid === postmaster ? stat.endedTicks : 0),
    0,
  );
  return (user + system) / 1_000 + ticks * tickMs;
}

/** The most memory that a process ever held, megabytes; 0 where there is no /proc. Unlike getrusage's, not its parent's. */
export async function peakMemoryMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024);
}

/** Processor time of one process so far, seconds; 0 where there is no /proc. */
export async function processSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * tickMs) / 1_000;
}
