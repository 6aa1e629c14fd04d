/** Long enough to be a key rather than a word such as `rpc` or `v2`. */
const leastKey = 8;

/** What of an address may be a credential: the whole of it, the user's password, and whatever in its path or query looks like a key. */
export function secretsOfUrl(address: string): string[] {
  if (!URL.canParse(address)) return [address];
  const url = new URL(address);
  const named = [url.password, ...url.searchParams.values()].filter((text) => text.length > 0);
  const inPath = url.pathname.split("/").filter((part) => part.length >= leastKey);
  const parts = [...named, ...inPath].flatMap((text) => [text, decodeURIComponent(text)]);
  return parts.length > 0 ? [address, url.href, ...parts] : [];
}

/** Takes secrets out of a text, the longest first, so that none is left in part. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const longestFirst = [...new Set(secrets)].filter(Boolean).sort((one, other) => other.length - one.length);
  return (text) => longestFirst.reduce((left, secret) => left.replaceAll(secret, "(redacted)"), text);
}
