import { createServer } from "node:net";

/** How far from the wanted port a free one is looked for before the system chooses. */
const nearby = 20;

/** `wanted` if it is free on the loopback interface, else the next free one. */
export async function freePort(wanted: number): Promise<number> {
  for (let port = wanted; port < wanted + nearby; port += 1) if (await isFree(port)) return port;
  return bound(0);
}

async function isFree(port: number): Promise<boolean> {
  return bound(port).then(
    () => true,
    () => false,
  );
}

function bound(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : port));
    });
  });
}
