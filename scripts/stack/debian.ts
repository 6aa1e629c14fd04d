import { spawn } from "node:child_process";
import { access } from "node:fs/promises";

/**
 * Installs a Debian package when `program` is missing and we may.
 * @throws Error that says what to install, where we may not.
 */
export async function installDebian(package_: string, program: string, variable: string): Promise<void> {
  if (await exists(program)) return;
  if (process.getuid?.() !== 0 || !(await exists("/usr/bin/apt-get")))
    throw new Error(`there is no ${program}: install ${package_}, or set ${variable} to where it is`);
  await run("apt-get", ["update"]);
  await run("apt-get", ["install", "-y", "--no-install-recommends", package_]);
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
