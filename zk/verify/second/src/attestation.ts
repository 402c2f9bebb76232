import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { sha256 } from '@noble/hashes/sha2.js';

import { concat, equal, fromHex, toBigEndian, utf8 } from './bytes.js';
import { CBOR } from './cbor.js';
import { Refusal, named } from './failure.js';
import { sizes } from './keys.js';
import { combine, encodeG1, parseG1, parseScalar, type G1 } from './points.js';
import type { SRS } from './srs.js';
import { Transcript } from './transcript.js';

// Device keys, attestations and anchors are zk/SPEC.md, sections 11.2 to 11.4.

export interface Place {
  fleet: string;
  chunk: number;
  size: number;
  slot: number;
  epoch: bigint;
}

interface Attestation {
  place: Place;
  device: Uint8Array;
  commitment: G1;
  r: G1;
  zx: bigint;
  zr: bigint;
  signature: Uint8Array;
}

const mostBytes = 512;
const ed25519Header = fromHex('302a300506032b6570032100', 12);
const p256Header = fromHex('3059301306072a8648ce3d020106082a8648ce3d030107034200', 26);

export interface DeviceKey {
  id: Uint8Array;
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

export function readDeviceKey(der: Uint8Array): DeviceKey {
  const id = sha256(der);
  if (der.length === 44 && equal(der.subarray(0, 12), ed25519Header)) {
    const key = der.subarray(12);
    if (ed25519.Point.fromBytes(key, false).isSmallOrder()) throw new Error('Ed25519 key is of small order');
    return { id, verify: (message, signature) => ed25519.verify(signature, message, key, { zip215: true }) };
  }
  if (der.length === 91 && equal(der.subarray(0, 26), p256Header)) {
    const key = der.subarray(26);
    p256.Point.fromBytes(key).assertValidity();
    return { id, verify: (message, signature) => p256.verify(signature, message, key, { prehash: true, lowS: true, format: 'compact' }) };
  }
  throw new Error('not a device key');
}

function readAttestation(b: Uint8Array): Attestation {
  const r = new CBOR(b, mostBytes);
  r.tuple(10n);
  if (r.number(64n) !== 1n) throw new Error('version is not known');
  const place: Place = { fleet: r.text(), chunk: Number(r.number(32n)), size: Number(r.number(32n)), slot: Number(r.number(32n)), epoch: r.number(64n) };
  const [device, commitment, proof, signature] = [r.bytes(), r.bytes(), r.bytes(), r.bytes()];
  r.end();
  if (device.length !== 32 || signature.length !== 64 || proof.length !== 96) throw new Error('a field is not of its length');
  const fleet = utf8(place.fleet).length;
  if (fleet < 1 || fleet > 128 || !sizes.includes(place.size) || place.slot >= place.size) throw new Error('not a place');
  return {
    place,
    device,
    commitment: parseG1(commitment),
    r: parseG1(proof.subarray(0, 32)),
    zx: parseScalar(proof.subarray(32, 64)),
    zr: parseScalar(proof.subarray(64)),
    signature,
  };
}

// verifyAttestation is the check of one attestation, and returns its commitment. Ledger and SRS are the place's too.
export function verifyAttestation(encoded: Uint8Array, ledger: Uint8Array, srs: SRS, at: Place, key: DeviceKey): G1 {
  const a = named('attestation-encoding', () => readAttestation(encoded));
  const p = a.place;
  if (p.fleet !== at.fleet || p.chunk !== at.chunk || p.size !== at.size || p.slot !== at.slot || p.epoch !== at.epoch) {
    throw new Refusal('attestation-place', 'for another place');
  }
  if (!equal(a.device, key.id)) throw new Refusal('attestation-device', 'by another device');
  const message = placed(new Transcript('assay/v1/attestation', ledger), srs, p)
    .bytes(a.device).point(a.commitment).bytes(concat(encodeG1(a.r), toBigEndian(a.zx, 32), toBigEndian(a.zr, 32))).message();
  if (!named('attestation-signature', () => key.verify(message, a.signature))) throw new Refusal('attestation-signature', 'does not verify');
  const [g, h] = [srs.g1[p.slot]!, srs.g1[p.size + p.slot]!];
  const c = placed(new Transcript('assay/v1/representation', ledger), srs, p).bytes(a.device).point(g, h, a.commitment, a.r).challenge();
  if (!combine([a.zx, g], [a.zr, h]).equals(combine([1n, a.r], [c, a.commitment]))) throw new Refusal('attestation-proof', 'does not hold');
  return a.commitment;
}

function placed(t: Transcript, srs: SRS, p: Place): Transcript {
  return t.bytes(srs.digest).text(p.fleet).uint(p.chunk).uint(p.size).uint(p.slot).uint(p.epoch);
}

// merkleRoot is the RFC 6962 tree head.
export function merkleRoot(leaves: Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array());
  if (leaves.length === 1) return sha256(concat(Uint8Array.of(0), leaves[0]!));
  let split = 1;
  while (2 * split < leaves.length) split *= 2;
  return sha256(concat(Uint8Array.of(1), merkleRoot(leaves.slice(0, split)), merkleRoot(leaves.slice(split))));
}

// bitmap has one bit for each slot, 1 where a device attested.
export function bitmap(size: number, slots: number[]): Uint8Array {
  const out = new Uint8Array(size / 8);
  for (const slot of slots) out[slot >> 3]! |= 1 << (slot & 7);
  return out;
}
