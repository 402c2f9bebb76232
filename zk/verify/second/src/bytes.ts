// Byte strings and their spellings.

export function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return compare(a, b) === 0;
}

export function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

export function toHex(b: Uint8Array): string {
  return Array.from(b, (v) => v.toString(16).padStart(2, '0')).join('');
}

// fromHex reads lower-case hexadecimal of a known length.
export function fromHex(text: string, bytes: number): Uint8Array {
  if (text.length !== 2 * bytes || !/^[0-9a-f]*$/.test(text)) throw new Error(`not ${bytes} bytes in lower-case hexadecimal`);
  return Uint8Array.from({ length: bytes }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

// fromBase64 reads base64 with padding and unused bits of 0, and nothing else.
export function fromBase64(text: string): Uint8Array {
  const digits = text.replace(/={1,2}$/, '');
  if (text.length % 4 !== 0 || text.length - digits.length !== (4 - (digits.length % 4)) % 4) throw new Error('base64 is not padded');
  const out = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const c of digits) {
    const value = alphabet.indexOf(c);
    if (value < 0) throw new Error('not base64');
    bits = ((bits << 6) | value) & 0xfff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out[at++] = (bits >> held) & 0xff;
    }
  }
  if ((bits & ((1 << held) - 1)) !== 0) throw new Error('base64 has unused bits');
  return out;
}

export function toBase64(b: Uint8Array): string {
  return Buffer.from(b).toString('base64');
}

// fromBigEndian reads a number, toBigEndian writes one into so many bytes.
export function fromBigEndian(b: Uint8Array): bigint {
  return b.length === 0 ? 0n : BigInt('0x' + toHex(b));
}

export function toBigEndian(v: bigint, bytes: number): Uint8Array {
  return fromHex(v.toString(16).padStart(2 * bytes, '0'), bytes);
}

export const u32 = (v: number): Uint8Array => toBigEndian(BigInt(v), 4);
export const u64 = (v: bigint): Uint8Array => toBigEndian(v, 8);

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

// fromUTF8 refuses what is not UTF-8. A byte order mark is a character like any other.
export function fromUTF8(b: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(b);
}
