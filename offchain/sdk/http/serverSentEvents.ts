/** One block of an event stream; `data` is empty in one that only moves the id on. */
export interface ServerSentEvent {
  id: string | null;
  event: string;
  data: string;
}

/**
 * Reads an event stream (HTML standard §9.2.6). A block that the stream's end cuts off is not given out.
 * @param onHeard is told of every chunk, comments and all: the sender is alive.
 */
export async function* readServerSentEvents(
  body: AsyncIterable<Uint8Array>,
  onHeard: () => void = () => {},
): AsyncGenerator<ServerSentEvent, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    onHeard();
    // A chunk may end between the two characters of a line's end.
    const text = rest + decoder.decode(chunk, { stream: true });
    const whole = text.endsWith("\r") ? text.slice(0, -1) : text;
    const blocks = whole.replace(/\r\n?/g, "\n").split("\n\n");
    rest = (blocks.pop() ?? "") + text.slice(whole.length);
    for (const block of blocks) {
      const read = readBlock(block);
      if (read.id !== null || read.data !== "") yield read;
    }
  }
}

function readBlock(block: string): ServerSentEvent {
  const read: ServerSentEvent = { id: null, event: "message", data: "" };
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    const [field, value] =
      colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
    if (field === "data") data.push(value);
    else if (field === "event") read.event = value;
    // An id with a null character is no id.
    else if (field === "id" && !value.includes("\0")) read.id = value;
  }
  return { ...read, data: data.join("\n") };
}
