import { fromBigEndian } from './bytes.js';
import { CBOR } from './cbor.js';
import { Refusal, named } from './failure.js';
import { parseG1, parseG2, parseScalar, type G1, type G2 } from './points.js';
import { readStatement, type Statement } from './statement.js';

// Bundle and proofs are zk/SPEC.md, section 8.

export interface Groth16Proof {
  a: G1;
  b: G2;
  c: G1;
  commitments: G1[];
  knowledge?: G1; // of the commitments, if there are any
}

export interface ChunkProof {
  groth16: Groth16Proof;
  mask: G1; // M
  r: G1;
  z0: bigint;
  z1: bigint;
  y: bigint;
  quotient: G1; // Q
  output: bigint; // T
}

export interface FleetProof {
  groth16: Groth16Proof;
  output: bigint;
}

export interface Bundle {
  statement: Statement;
  chunks: { index: number; proof: Uint8Array }[];
  fleet: Uint8Array[];
  holds: boolean[];
  disclosed: bigint[];
}

const mostBytes = 64 << 20;
const chunkProofBytes = 448;
const fleetProofBytes = 160;

// readBundle is steps 1 to 3 of section 9.
export function readBundle(b: Uint8Array): Bundle {
  const items = named('bundle-encoding', () => readItems(b));
  const statement = named('statement', () => readStatement(items.statement));
  items.chunks.forEach((c, i) => {
    if (i > 0 && c.index <= items.chunks[i - 1]!.index) throw new Refusal('bundle-encoding', 'chunk indices do not ascend');
  });
  for (const total of items.disclosed) {
    if (total.length > 10 || total[0] === 0) throw new Refusal('bundle-encoding', 'a disclosed total is not in its one form');
  }
  return { ...items, statement, disclosed: items.disclosed.map(fromBigEndian) };
}

function readItems(b: Uint8Array) {
  const r = new CBOR(b, mostBytes);
  r.tuple(6n);
  const version = r.text();
  const statement = r.bytes();
  const chunks = r.array(() => {
    r.tuple(2n);
    return { index: Number(r.number(32n)), proof: r.bytes() };
  });
  const fleet = r.array(() => r.bytes());
  const holds = r.array(() => r.bool());
  const disclosed = r.array(() => r.bytes());
  r.end();
  if (version !== 'assay-bundle/v1') throw new Error('version is not known');
  return { statement, chunks, fleet, holds, disclosed };
}

export function readChunkProof(b: Uint8Array): ChunkProof {
  if (b.length !== chunkProofBytes) throw new Error(`chunk proof has ${b.length} bytes, must have ${chunkProofBytes}`);
  const g1 = (at: number) => parseG1(b.subarray(at, at + 32));
  const scalar = (at: number) => parseScalar(b.subarray(at, at + 32));
  return {
    groth16: { a: g1(0), b: parseG2(b.subarray(32, 96)), c: g1(96), commitments: [g1(128), g1(160)], knowledge: g1(192) },
    mask: g1(224),
    r: g1(256),
    z0: scalar(288),
    z1: scalar(320),
    y: scalar(352),
    quotient: g1(384),
    output: scalar(416),
  };
}

export function readFleetProof(b: Uint8Array): FleetProof {
  if (b.length !== fleetProofBytes) throw new Error(`fleet proof has ${b.length} bytes, must have ${fleetProofBytes}`);
  return {
    groth16: { a: parseG1(b.subarray(0, 32)), b: parseG2(b.subarray(32, 96)), c: parseG1(b.subarray(96, 128)), commitments: [] },
    output: parseScalar(b.subarray(128, 160)),
  };
}
