import { fromBase64, fromHex } from './bytes.js';
import { bool, fields, list, text, unsigned, type Json } from './json.js';
import { sizes } from './keys.js';
import { findSchema } from './schema.js';

// Facts are zk/SPEC.md, section 7.

export interface ChunkFacts {
  index: number;
  size: number;
  enrolled: bigint;
  classes: Map<string, bigint>;
  anchored: boolean;
  attested: bigint;
  commitment: Uint8Array;
  height: bigint;
  txID: string;
}

export interface Facts {
  ledger: Uint8Array;
  fleet: string;
  owner: string;
  schema: string;
  epoch: bigint;
  enrolled: bigint;
  retired: bigint;
  chunks: ChunkFacts[];
}

export function readFacts(value: Json): Facts {
  const f = fields(value, ['ledger', 'fleet', 'owner', 'schema', 'epoch', 'enrolled', 'retired', 'chunks']);
  return {
    ledger: fromHex(text(f.get('ledger')), 32),
    fleet: text(f.get('fleet')),
    owner: text(f.get('owner')),
    schema: text(f.get('schema')),
    epoch: unsigned(f.get('epoch'), 64n),
    enrolled: unsigned(f.get('enrolled'), 64n),
    retired: unsigned(f.get('retired'), 64n),
    chunks: f.get('chunks') === null ? [] : list(f.get('chunks')).map(readChunkFacts),
  };
}

function readChunkFacts(value: Json): ChunkFacts {
  const optional = ['classes', 'attested', 'commitment', 'height', 'tx_id'];
  const f = fields(value, ['index', 'size', 'enrolled', 'classes', 'anchored', 'attested', 'commitment', 'root', 'height', 'tx_id'], optional);
  fromHex(text(f.get('root')), 32);
  return {
    index: Number(unsigned(f.get('index'), 32n)),
    size: Number(unsigned(f.get('size'), 32n)),
    enrolled: unsigned(f.get('enrolled'), 32n),
    classes: readClasses(f.get('classes')),
    anchored: bool(f.get('anchored')),
    attested: unsigned(f.get('attested') ?? 0n, 32n),
    commitment: fromBase64(text(f.get('commitment') ?? '')),
    height: unsigned(f.get('height') ?? 0n, 64n),
    txID: text(f.get('tx_id') ?? ''),
  };
}

function readClasses(value: Json | undefined): Map<string, bigint> {
  if (value === undefined) return new Map();
  if (!(value instanceof Map)) throw new Error('classes are not an object');
  const names = Array.from(value.keys());
  const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  if (names.join('\0') !== sorted.join('\0')) throw new Error('classes are out of order');
  return new Map(Array.from(value, ([name, n]) => [name, unsigned(n, 32n)]));
}

export const sum = (numbers: Iterable<bigint>): bigint => Array.from(numbers).reduce((a, b) => a + b, 0n);

export const attested = (f: Facts): bigint => sum(f.chunks.map((c) => c.attested));

// toBeProven lists the chunks that a bundle has to prove.
export const toBeProven = (f: Facts): ChunkFacts[] => f.chunks.filter((c) => c.attested > 0n);

// checkFacts throws if facts contradict themselves.
export function checkFacts(f: Facts): void {
  findSchema(f.schema);
  f.chunks.forEach((c, i) => {
    if (i > 0 && c.index <= f.chunks[i - 1]!.index) throw new Error('chunk indices do not ascend');
    if (!sizes.includes(c.size)) throw new Error(`chunk ${c.index} has ${c.size} slots`);
    if (c.enrolled > BigInt(c.size) || c.attested > c.enrolled) throw new Error(`chunk ${c.index} has more devices than fit`);
    if (c.anchored !== c.commitment.length > 0 || (!c.anchored && c.attested !== 0n)) throw new Error(`anchor of chunk ${c.index} is incomplete`);
    if (sum(c.classes.values()) !== c.enrolled) throw new Error(`key classes of chunk ${c.index} do not add up`);
  });
  if (sum(f.chunks.map((c) => c.enrolled)) !== f.enrolled) throw new Error('enrolled devices do not add up');
  if (sum(f.chunks.map((c) => BigInt(c.size))) >> 32n !== 0n) throw new Error('too many slots');
}
