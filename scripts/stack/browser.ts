import { spawn } from "node:child_process";
import { access } from "node:fs/promises";

/** Where Debian's package `chromium` puts it; elsewhere, BURSAR_CHROMIUM says. */
export const chromiumPath = process.env.BURSAR_CHROMIUM ?? "/usr/bin/chromium";

/** Installs Chromium from Debian's packages when it is missing and we may; else says what to install. */
export async function installBrowser(): Promise<void> {
  if (await exists(chromiumPath)) return;
  if (process.getuid?.() !== 0 || !(await exists("/usr/bin/apt-get")))
    throw new Error(`no browser at ${chromiumPath}: install Chromium, or set BURSAR_CHROMIUM to where it is`);
  await run("apt-get", ["update"]);
  await run("apt-get", ["install", "-y", "--no-install-recommends", "chromium"]);
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

async function run(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("exit", done);
  });
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} failed with ${code}`);
}
