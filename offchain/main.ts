import {
  type Config,
  ConfigError,
  describeConfig,
  printableConfig,
  readConfig,
  unknownVariables,
} from "./app/config.ts";
import { openService } from "./app/service.ts";
import { Shutdown } from "./app/shutdown.ts";
import { createHttp } from "./doors/http/http.ts";
import { serve } from "./doors/http/serve.ts";
import { createLog } from "./platform/observe/log.ts";

if (import.meta.main) {
  if (process.argv.includes("--help"))
    console.log(
      `node offchain/main.ts\n\nStarts the Bursar service. It is configured by its environment:\n\n${describeConfig()}`,
    );
  else await run();
}

async function run(): Promise<void> {
  const config = readConfigOrExit();
  const clock = { now: () => Date.now() };
  const log = createLog({ level: config.observe.logLevel, clock });
  log.info(printableConfig(config), "configuration");
  for (const name of unknownVariables(process.env)) log.warn({ name }, "unknown variable is ignored");
  const shutdown = new Shutdown();
  for (const signal of ["SIGINT", "SIGTERM"])
    process.once(signal, () => {
      log.info({ signal }, "stopping");
      void shutdown.run(log).then(() => process.exit(0));
    });
  try {
    const service = await openService(config, { clock, log }, shutdown);
    const server = await serve(createHttp(service), config.http);
    shutdown.add("http", () => server.close());
    log.info({ url: server.url }, "listening");
  } catch (error) {
    log.fatal({ err: error }, "the service could not start");
    await shutdown.run(log);
    process.exit(1);
  }
}

function readConfigOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}
