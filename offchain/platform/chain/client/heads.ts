import type { ChainConfig } from "./config.ts";

const defaultPollIntervalMs = 1_000;
/** How long a lost or refused socket rests before the next try. */
const reconnectDelayMs = 1_000;

/**
 * Calls `onHead` whenever there may be a new block: pushed by a WebSocket subscription, and by a timer all along, so
 * that a provider without sockets, or a socket that died silently, costs latency and nothing else.
 * @returns how to stop
 */
export function watchHeads(config: ChainConfig, onHead: () => void): () => void {
  const timer = setInterval(onHead, config.pollIntervalMs ?? defaultPollIntervalMs);
  const url = config.webSocketUrl === undefined ? webSocketUrlOf(config.rpcUrl) : config.webSocketUrl;
  const stopPush = url === null ? () => undefined : pushHeads(url, onHead);
  return () => {
    clearInterval(timer);
    stopPush();
  };
}

/** Keeps one `newHeads` subscription alive (ethereum/execution-apis, `eth_subscribe`). */
function pushHeads(url: string, onHead: () => void): () => void {
  let stopped = false;
  let socket: WebSocket | null = null;
  let retry: NodeJS.Timeout | undefined;

  const open = () => {
    socket = new WebSocket(url);
    socket.addEventListener("open", () =>
      socket?.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] })),
    );
    socket.addEventListener("message", onHead);
    // `close` follows `error` too, so it alone decides about the next try.
    socket.addEventListener("close", () => {
      if (!stopped) retry = setTimeout(open, reconnectDelayMs);
    });
  };
  open();

  return () => {
    stopped = true;
    clearTimeout(retry);
    socket?.close();
  };
}

function webSocketUrlOf(rpcUrl: string): string {
  return rpcUrl.replace(/^http/, "ws");
}
