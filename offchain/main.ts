import {
  type Config,
  ConfigError,
  describeConfig,
  printableConfig,
  readConfig,
  secretsOf,
  unknownVariables,
} from "./app/config.ts";
import { openService } from "./app/service.ts";
import { Shutdown } from "./app/shutdown.ts";
import { startFault } from "./app/startFault.ts";
import { createHttp } from "./doors/http/http.ts";
import { serve } from "./doors/http/serve.ts";
import { readCommand } from "./platform/commandLine.ts";
import { guard } from "./platform/observe/guard.ts";
import { createLog } from "./platform/observe/log.ts";

if (import.meta.main) {
  readCommand(
    `npm run service\n\nStarts the Bursar service. It has no options but --help; its environment configures it. An empty variable counts as not set. What is listed from BURSAR_RPC_URL on is said for one of several chains by its id behind the name, as BURSAR_RPC_URL_31338:\n\n${describeConfig()}`,
    {},
  );
  await run();
}

async function run(): Promise<void> {
  const config = readConfigOrExit();
  const clock = { now: () => Date.now() };
  const log = createLog({ level: config.observe.logLevel, clock, secrets: secretsOf(config) });
  log.info(printableConfig(config), "configuration");
  for (const name of unknownVariables(process.env, config)) log.warn({ name }, "unknown variable is ignored");
  guard(process, log);
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
    const fault = startFault(error, config);
    if (fault) console.error(`the service could not start: ${fault}`);
    else log.fatal({ err: error }, "the service could not start");
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
