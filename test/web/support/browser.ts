/** Waits until `read` gives something else than null, and gives it back. */
export async function eventually<Found>(
  what: string,
  read: () => Promise<Found | null>,
  withinMs = 60_000,
): Promise<Found> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await read();
    if (found !== null) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
