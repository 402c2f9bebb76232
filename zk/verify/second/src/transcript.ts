import { expand_message_xmd } from '@noble/curves/abstract/hash-to-curve.js';
import { sha256 } from '@noble/hashes/sha2.js';

import { concat, fromBigEndian, toBigEndian, u32, u64, utf8 } from './bytes.js';
import { encodeG1, order, type G1 } from './points.js';

// hashToScalar is zk/SPEC.md, section 2.4.
export function hashToScalar(message: Uint8Array, dst: string): bigint {
  return fromBigEndian(expand_message_xmd(message, utf8(dst), 48, sha256)) % order;
}

export function field(b: Uint8Array): Uint8Array {
  return concat(u32(b.length), b);
}

// Transcript is zk/SPEC.md, section 2.5.
export class Transcript {
  private readonly tag: string;
  private readonly parts: Uint8Array[];

  constructor(tag: string, ledger: Uint8Array) {
    this.tag = tag;
    this.parts = [field(utf8(tag)), field(ledger)];
  }

  bytes(b: Uint8Array): this {
    this.parts.push(field(b));
    return this;
  }

  text(s: string): this {
    return this.bytes(utf8(s));
  }

  uint(v: number | bigint): this {
    return this.bytes(u64(BigInt(v)));
  }

  point(...points: G1[]): this {
    for (const p of points) this.bytes(encodeG1(p));
    return this;
  }

  scalar(s: bigint): this {
    return this.bytes(toBigEndian(s, 32));
  }

  message(): Uint8Array {
    return concat(...this.parts);
  }

  challenge(): bigint {
    return hashToScalar(this.message(), this.tag);
  }

  digest(): Uint8Array {
    return sha256(this.message());
  }
}
