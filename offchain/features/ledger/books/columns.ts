/** One column of rows as the text of a PostgreSQL array. A column of nulls alone is the empty array. */
export class Column {
  private text = "";
  private count = 0;
  private nulls = 0;

  /** A value that needs no quotes: a number, hexadecimal digits. */
  raw(value: string | number | bigint | null): void {
    if (value === null) {
      if (this.nulls === this.count) this.nulls += 1;
      else this.text += ",NULL";
    } else {
      if (this.count > 0 && this.nulls === this.count) this.text = ",NULL".repeat(this.nulls);
      this.text += `,${value}`;
    }
    this.count += 1;
  }

  /** Any text. */
  quoted(value: string | null): void {
    this.raw(value === null ? null : `"${special.test(value) ? value.replaceAll(specials, "\\$&") : value}"`);
  }

  /** Bytes in hexadecimal digits. */
  bytes(value: string): void {
    this.raw(`"\\\\x${value}"`);
  }

  toString(): string {
    return `{${this.text.slice(1)}}`;
  }
}

/** One column of rows of 32 bytes each, given as hexadecimal digits, as one value; null is zeros. */
export class HashColumn {
  private digits = "";

  add(hash: string | null): void {
    this.digits += hash ?? zeros;
  }

  toBytes(): Buffer {
    return Buffer.from(this.digits, "hex");
  }
}

const zeros = "0".repeat(64);
const special = /["\\]/;
const specials = /["\\]/g;
