import { equal, fromBase64, fromHex } from './bytes.js';
import { Refusal, named } from './failure.js';
import { fields, signed, text, type Json } from './json.js';
import { generator2, negative, combine, pairsToOne, parseG1, parseG2, type G1, type G2 } from './points.js';
import { checkText } from './statement.js';
import { Transcript } from './transcript.js';

// Keys are zk/SPEC.md, section 6.

export const srsKey = 'srs/v1';
export const fleetCircuit = 'fleet-64/v1';
export const sizes = [64, 256, 1024, 4096];
export const chunkCircuit = (size: number): string => `chunk-${size}/v1`;
export const circuits = [srsKey, ...sizes.map(chunkCircuit), fleetCircuit];

export const unsafeSetup = 'unsafe-single-party';

// Status is what became of a key that is no longer active.
export interface Status {
  state: string;
  reason: string;
  time: bigint;
}

export interface PublishedKey {
  circuit: string;
  key: Uint8Array;
  digest: Uint8Array;
  setup: string;
  status: Status | undefined;
}

export interface SRSKey {
  digest: Uint8Array;
  tau: G2;
  masks: Map<number, [G1, G1]>; // by chunk size
}

export interface CircuitKey {
  alpha: G1;
  beta: G2;
  gamma: G2;
  delta: G2;
  k: G1[];
  commitments: { generator: G2; secret: G2 }[];
}

export interface Keyring {
  published: Map<string, PublishedKey>;
  srs?: SRSKey;
  circuits: Map<string, CircuitKey>;
}

export function readPublishedKey(value: Json): PublishedKey {
  const f = fields(value, ['circuit_id', 'key', 'digest', 'setup', 'srs', 'circuit', 'status'], ['srs', 'circuit', 'status']);
  for (const name of ['srs', 'circuit']) {
    if (f.has(name) && fromHex(text(f.get(name)), 32).every((b) => b === 0)) throw new Error(`key: ${name} is zero`);
  }
  const key = f.get('key') === null ? new Uint8Array() : fromBase64(text(f.get('key')));
  return { circuit: text(f.get('circuit_id')), key, digest: fromHex(text(f.get('digest')), 32), setup: text(f.get('setup')), status: f.has('status') ? readStatus(f.get('status')) : undefined };
}

function readStatus(value: Json | undefined): Status {
  const f = fields(value, ['state', 'reason', 'time']);
  const status = { state: text(f.get('state')), reason: text(f.get('reason')), time: signed(f.get('time')) };
  if (status.state === '' && status.reason === '' && status.time === 0n) throw new Error('key: status is empty');
  return status;
}

function checkStatus(s: Status): void {
  if (s.state !== 'retired' && s.state !== 'revoked') throw new Error(`state ${s.state}`);
  if (s.time < 0n || s.time > 253402300799n) throw new Error(`time ${s.time}`);
  checkText(s.reason, 1, 512);
}

export function newKeyring(keys: PublishedKey[]): Keyring {
  const ring: Keyring = { published: new Map(), circuits: new Map() };
  for (const key of keys) {
    if (ring.published.has(key.circuit)) throw new Refusal('key-duplicate', key.circuit);
    if (!isSetup(key.setup)) throw new Refusal('key-setup', key.setup);
    named('key-status', () => key.status === undefined || checkStatus(key.status));
    if (!equal(keyDigest(key), key.digest)) throw new Refusal('key-digest', key.circuit);
    if (!circuits.includes(key.circuit)) throw new Refusal('circuit-unknown', key.circuit);
    named('key-encoding', () => {
      if (key.circuit === srsKey) ring.srs = readSRSKey(key.key);
      else if (key.circuit === fleetCircuit) ring.circuits.set(key.circuit, readCircuitKey(key.key, 135, 0));
      else ring.circuits.set(key.circuit, readCircuitKey(key.key, 7, 2));
    });
    ring.published.set(key.circuit, key);
  }
  return ring;
}

function isSetup(setup: string): boolean {
  return setup === unsafeSetup || (/^ceremony:[0-9a-f]{64}$/.test(setup) && !/^ceremony:0*$/.test(setup));
}

export function keyDigest(key: PublishedKey): Uint8Array {
  return new Transcript('assay/v1/key', new Uint8Array(32)).text(key.circuit).text(key.setup).bytes(key.key).digest();
}

// Points reads points one after another.
class Points {
  private at = 0;
  private readonly b: Uint8Array;

  constructor(b: Uint8Array) {
    this.b = b;
  }

  take(n: number): Uint8Array {
    if (this.at + n > this.b.length) throw new Error('cut short');
    this.at += n;
    return this.b.subarray(this.at - n, this.at);
  }

  g1 = (): G1 => parseG1(this.take(32));
  g2 = (): G2 => parseG2(this.take(64));

  end(): void {
    if (this.at !== this.b.length) throw new Error('bytes follow the last point');
  }
}

function readSRSKey(b: Uint8Array): SRSKey {
  const r = new Points(b);
  const key: SRSKey = { digest: r.take(32), tau: r.g2(), masks: new Map(sizes.map((n) => [n, [r.g1(), r.g1()]])) };
  r.end();
  for (const [n, [g, h]] of key.masks) {
    if (!pairsToOne([h, generator2], [combine([negative(1n), g]), key.tau])) throw new Error(`mask bases for ${n} slots are not consecutive powers`);
  }
  return key;
}

function readCircuitKey(b: Uint8Array, k: number, commitments: number): CircuitKey {
  const r = new Points(b);
  const key: CircuitKey = {
    alpha: r.g1(),
    beta: r.g2(),
    gamma: r.g2(),
    delta: r.g2(),
    k: Array.from({ length: k + 1 }, r.g1),
    commitments: Array.from({ length: commitments }, () => ({ generator: r.g2(), secret: r.g2() })),
  };
  r.end();
  if (!key.commitments.every((c) => c.generator.equals(key.commitments[0]!.generator))) throw new Error('generators differ');
  const secrets = [key.beta, key.gamma, key.delta, ...key.commitments.map((c) => c.secret)];
  if (secrets.some((s, i) => secrets.slice(0, i).some((t) => s.equals(t)))) throw new Error('two secrets are equal');
  return key;
}

export function circuitKey(ring: Keyring, circuit: string): CircuitKey {
  const key = ring.circuits.get(circuit);
  if (key === undefined) throw new Refusal('key-unknown', circuit);
  refuseRevoked(ring, circuit);
  return key;
}

function refuseRevoked(ring: Keyring, circuit: string): void {
  if (ring.published.get(circuit)?.status?.state === 'revoked') throw new Refusal('key-revoked', circuit);
}

export function srsKeyOf(ring: Keyring): SRSKey {
  if (ring.srs === undefined) throw new Refusal('key-unknown', srsKey);
  refuseRevoked(ring, srsKey);
  return ring.srs;
}
