/** Shorter texts are words and figures that stand in every line, such as `bursar`, `require` or `10`. */
const leastSecret = 8;

const keyNames = /password|key|token|secret|auth/i;

/** A part of a path that is a key rather than a word: of letters and digits, such as a provider's project id. */
const looksLikeKey = (part: string) => (/\d/.test(part) && /[a-z]/i.test(part)) || part.length >= 20;

/**
 * What of an address may be a credential: the password, the user of an HTTP address, the values of query fields that are
 * named as keys are, and parts of an HTTP path that look like one.
 */
export function secretsOfUrl(address: string): string[] {
  if (!URL.canParse(address)) return [];
  const url = new URL(address);
  const isHttp = /^(https?|wss?):$/.test(url.protocol);
  const named = [...url.searchParams].flatMap(([name, value]) => (keyNames.test(name) ? [value] : []));
  const inPath = isHttp ? url.pathname.split("/").filter(looksLikeKey) : [];
  const all = [url.password, ...(isHttp ? [url.username] : []), ...named, ...inPath];
  return all.flatMap((text) => [text, decoded(text), encodeURIComponent(decoded(text))]).filter(isLong);
}

const isLong = (text: string) => text.length >= leastSecret;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Takes secrets out of a text, also as JSON writes them; the longest first, so that none is left in part. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = secrets.filter(isLong).flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  const longestFirst = [...new Set(forms)].sort((one, other) => other.length - one.length);
  return (text) => longestFirst.reduce((left, secret) => left.replaceAll(secret, "(redacted)"), text);
}
