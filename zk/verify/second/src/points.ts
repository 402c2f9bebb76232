import type { Fp2 } from '@noble/curves/abstract/tower.js';
import type { WeierstrassPoint } from '@noble/curves/abstract/weierstrass.js';
import { bn254 } from '@noble/curves/bn254.js';
import { sha256 } from '@noble/hashes/sha2.js';

import { concat, fromBigEndian, toBigEndian, toHex, utf8 } from './bytes.js';

// Points and scalars of BN254 (zk/SPEC.md, sections 2.1 to 2.3).
export type G1 = WeierstrassPoint<bigint>;
export type G2 = WeierstrassPoint<Fp2>;

const { Fp, Fp2, Fp12, Fr } = bn254.fields;

export const order = Fr.ORDER;
export const generator1: G1 = bn254.G1.Point.BASE;
export const generator2: G2 = bn254.G2.Point.BASE;
export const infinity: G1 = bn254.G1.Point.ZERO;

const flagged = { smaller: 0x80, larger: 0xc0, infinity: 0x40 };

export function parseScalar(b: Uint8Array): bigint {
  const v = fromBigEndian(b);
  if (b.length !== 32 || v >= order) throw new Error('not a reduced scalar');
  return v;
}

function coordinate(b: Uint8Array): bigint {
  const v = fromBigEndian(b);
  if (v >= Fp.ORDER) throw new Error('coordinate is not reduced');
  return v;
}

// unflagged splits the flags off. It refuses those of an uncompressed point and of infinity.
function unflagged(b: Uint8Array, bytes: number): { larger: boolean; x: Uint8Array } {
  if (b.length !== bytes) throw new Error(`point has ${b.length} bytes, must have ${bytes}`);
  const x = Uint8Array.from(b);
  x[0]! &= 0x3f;
  const flags = b[0]! & 0xc0;
  if (flags !== flagged.smaller && flags !== flagged.larger) throw new Error('not a finite compressed point');
  return { larger: flags === flagged.larger, x };
}

export function parseG1(b: Uint8Array): G1 {
  return kept(`G1 ${toHex(b.subarray(0, 33))}`, () => finiteG1(b)); // a byte too many is enough to tell
}

export function parseG2(b: Uint8Array): G2 {
  return kept(`G2 ${toHex(b.subarray(0, 65))}`, () => finiteG2(b));
}

function finiteG1(b: Uint8Array): G1 {
  const { larger, x: bytes } = unflagged(b, 32);
  const x = coordinate(bytes);
  const y = Fp.sqrt(Fp.add(Fp.pow(x, 3n), 3n)); // throws if there is none
  const point = bn254.G1.Point.fromAffine({ x, y: larger === isLarger(y) ? y : Fp.neg(y) });
  point.assertValidity();
  return point;
}

function finiteG2(b: Uint8Array): G2 {
  const { larger, x: bytes } = unflagged(b, 64);
  const x = { c0: coordinate(bytes.subarray(32)), c1: coordinate(bytes.subarray(0, 32)) };
  const twist = Fp2.div({ c0: 3n, c1: 0n }, { c0: 9n, c1: 1n });
  const y = Fp2.sqrt(Fp2.add(Fp2.pow(x, 3n), twist));
  const point = bn254.G2.Point.fromAffine({ x, y: larger === isLarger(y.c1 === 0n ? y.c0 : y.c1) ? y : Fp2.neg(y) });
  point.assertValidity();
  if (!point.isTorsionFree()) throw new Error('point is outside the subgroup');
  return point;
}

function isLarger(y: bigint): boolean {
  return y > Fp.neg(y);
}

export function encodeG1(point: G1): Uint8Array {
  const out = new Uint8Array(32);
  if (point.is0()) {
    out[0] = flagged.infinity;
    return out;
  }
  const { x, y } = point.toAffine();
  out.set(toBigEndian(x, 32));
  out[0]! |= isLarger(y) ? flagged.larger : flagged.smaller;
  return out;
}

export function encodeG1Uncompressed(point: G1): Uint8Array {
  if (point.is0()) return concat(encodeG1(point), new Uint8Array(32));
  const { x, y } = point.toAffine();
  return concat(toBigEndian(x, 32), toBigEndian(y, 32));
}

// parseG1Uncompressed and parseG2Uncompressed read finite points as an SRS file has them.
export function parseG1Uncompressed(b: Uint8Array): G1 {
  const point = bn254.G1.Point.fromAffine({ x: coordinate(b.subarray(0, 32)), y: coordinate(b.subarray(32, 64)) });
  if (point.is0()) throw new Error('point at infinity');
  point.assertValidity();
  return point;
}

export function parseG2Uncompressed(b: Uint8Array): G2 {
  const [x1, x0, y1, y0] = [0, 32, 64, 96].map((at) => coordinate(b.subarray(at, at + 32))) as [bigint, bigint, bigint, bigint];
  const point = bn254.G2.Point.fromAffine({ x: { c0: x0, c1: x1 }, y: { c0: y0, c1: y1 } });
  if (point.is0()) throw new Error('point at infinity');
  point.assertValidity();
  if (!point.isTorsionFree()) throw new Error('point is outside the subgroup');
  return point;
}

// combine returns Σ scalar·point. Points of one scalar are added first: most public inputs of a fleet proof are one constant. The time it takes depends
// on what it is given, all of which is public.
export function combine(...terms: [bigint, G1][]): G1 {
  const spelt = terms.map(([scalar, point]) => [scalar, point.toAffine()] as const).map(([scalar, { x, y }]) => [scalar, x, y].join());
  return kept(`sum ${spelt.join(';')}`, () => combined(terms));
}

function combined(terms: [bigint, G1][]): G1 {
  const sums = new Map<bigint, G1>();
  for (const [scalar, point] of terms) sums.set(scalar, (sums.get(scalar) ?? infinity).add(point));
  let sum = infinity;
  for (const [scalar, point] of sums) {
    if (scalar !== 0n && !point.is0()) sum = sum.add(scalar === 1n ? point : point.multiplyUnsafe(scalar));
  }
  return sum;
}

export const negative = (scalar: bigint): bigint => Fr.neg(scalar);
export const modulo = (v: bigint): bigint => Fr.create(v);
export const times = (a: bigint, b: bigint): bigint => Fr.mul(a, b);
export const plus = (a: bigint, b: bigint): bigint => Fr.add(a, b);

// pairsToOne reports whether Π e(a, b) = 1. A pair with infinity contributes nothing.
export function pairsToOne(...pairs: [G1, G2][]): boolean {
  const finite = pairs.filter(([a]) => !a.is0()).map(([g1, g2]) => ({ g1, g2 }));
  const spelt = finite.map(({ g1, g2 }) => [g1.toAffine(), g2.toAffine()] as const).map(([p, q]) => [p.x, p.y, q.x.c0, q.x.c1, q.y.c0, q.y.c1].join());
  return kept(`pairs ${spelt.join(';')}`, () => Fp12.eql(bn254.pairingBatch(finite), Fp12.ONE));
}

// What was computed is kept by all that it was computed from: whoever asks about many documents asks about the same points again and again.
const results = new Map<string, unknown>();
const mostResults = 1 << 16;

function kept<T>(from: string, compute: () => T): T {
  const name = toHex(sha256(utf8(from)));
  if (results.has(name)) return results.get(name) as T;
  const result = compute();
  if (results.size >= mostResults) results.clear();
  results.set(name, result);
  return result;
}
