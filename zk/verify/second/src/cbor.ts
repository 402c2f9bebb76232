import { fromBigEndian, fromUTF8 } from './bytes.js';

const mostItems = 131072n;

// CBOR reads core deterministic CBOR (zk/SPEC.md, section 2.7), item by item: what is not written in the shortest way, of another type, or cut short
// throws.
export class CBOR {
  private at = 0;
  private readonly b: Uint8Array;

  constructor(b: Uint8Array, limit: number) {
    if (b.length > limit) throw new Error(`${b.length} bytes, at most ${limit}`);
    this.b = b;
  }

  end(): void {
    if (this.at !== this.b.length) throw new Error('bytes follow the last item');
  }

  number(bits: bigint): bigint {
    const v = this.head(0);
    if (v >> bits !== 0n) throw new Error(`number of more than ${bits} bits`);
    return v;
  }

  // signed reads a number of 64 bits with its sign.
  signed(): bigint {
    const negative = this.b[this.at]! >> 5 === 1;
    const v = this.head(negative ? 1 : 0);
    if (v >> 63n !== 0n) throw new Error('number of more than 64 bits');
    return negative ? -1n - v : v;
  }

  bytes(): Uint8Array {
    return this.take(this.head(2));
  }

  text(): string {
    return fromUTF8(this.take(this.head(3)));
  }

  // tuple reads the head of an array of a known length, array a whole one.
  tuple(length: bigint): void {
    if (this.head(4) !== length) throw new Error(`array is not of ${length} items`);
  }

  array<T>(item: () => T): T[] {
    const n = this.head(4);
    if (n > mostItems) throw new Error(`array of ${n} items, at most ${mostItems}`);
    const out: T[] = [];
    for (let i = 0n; i < n; i++) out.push(item());
    return out;
  }

  bool(): boolean {
    const [b] = this.take(1n);
    if (b !== 0xf4 && b !== 0xf5) throw new Error('neither true nor false');
    return b === 0xf5;
  }

  private head(major: number): bigint {
    const first = this.take(1n)[0]!;
    if (first >> 5 !== major) throw new Error(`item of type ${first >> 5}, must be of ${major}`);
    const info = first & 31;
    if (info < 24) return BigInt(info);
    if (info > 27) throw new Error('length is not definite');
    const v = fromBigEndian(this.take(1n << BigInt(info - 24)));
    const least = info === 24 ? 24n : 1n << (4n << BigInt(info - 24));
    if (v < least) throw new Error('number is not in its shortest form');
    return v;
  }

  private take(n: bigint): Uint8Array {
    if (n > BigInt(this.b.length - this.at)) throw new Error('cut short');
    const out = this.b.subarray(this.at, this.at + Number(n));
    this.at += Number(n);
    return out;
  }
}
