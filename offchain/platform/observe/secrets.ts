/** Shorter texts are words and figures that stand in every line, such as `bursar`, `require` or `10`. */
const leastSecret = 8;

const keyNames = /password|key|token|secret|auth/i;

/** A part of a path that is a key rather than a word: with digits, such as a provider's project id, or longer than words are. */
const looksLikeKey = (part: string) => /\d/.test(part) || part.length >= 12;

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

/** An address in a text of which we know nothing: a provider may quote its own, with the key that it was asked by. */
const anyAddress = /\b(https?|wss?|postgres(?:ql)?|rediss?):\/\/[^\s"'<>\\`]+/gi;

/** Takes out of every address in a text who asks, its query, and what of its path looks like a key. */
const withoutAddressSecrets = (text: string) =>
  text.replace(anyAddress, (address) =>
    address
      .replace(/\/\/[^/@?#]*@/, "//(redacted)@")
      .replace(/([?#]).*$/, "$1(redacted)")
      .replace(/(?<=[^/]\/)[^/?#()]+/g, (part) =>
        part.length >= leastSecret && looksLikeKey(part) ? "(redacted)" : part,
      ),
  );

/** For what leaves the process: besides the known secrets, those in addresses that others have written. */
export function publicRedactor(secrets: readonly string[]): (text: string) => string {
  const redact = redactor(secrets);
  return (text) => withoutAddressSecrets(redact(text));
}

/** Takes secrets out of a text, also as JSON writes them; the longest first, so that none is left in part. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = secrets.filter(isLong).flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  const longestFirst = [...new Set(forms)].sort((one, other) => other.length - one.length);
  return (text) => longestFirst.reduce((left, secret) => left.replaceAll(secret, "(redacted)"), text);
}
