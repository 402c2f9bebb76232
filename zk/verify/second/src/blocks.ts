import { sha256 } from '@noble/hashes/sha2.js';

import { concat, equal, toBigEndian, u64, utf8 } from './bytes.js';
import { CBOR } from './cbor.js';

// Hashes of blocks are zk/SPEC.md, section 14.1.

export interface BlockHeader {
  height: bigint;
  previous: Uint8Array;
  hash: Uint8Array;
}

const most = { own: 64 << 20, fabric: 128 << 20, entries: 1 << 16, metadata: 16, deep: 10000 };

export function readBlock(format: string, block: Uint8Array, ledger: Uint8Array): BlockHeader {
  switch (format) {
    case 'assay-block/v1':
      return readOwn(block, ledger);
    case 'fabric-block/v3':
      return readFabric(block);
  }
  throw new Error('a format that is not known');
}

export function tagged(tag: string, ...parts: Uint8Array[]): Uint8Array {
  return concat(utf8(tag), ...parts.flatMap((p) => [u64(BigInt(p.length)), p]));
}

function readOwn(sealed: Uint8Array, ledger: Uint8Array): BlockHeader {
  const outer = new CBOR(sealed, most.own);
  outer.tuple(3n);
  const block = outer.bytes();
  outer.text();
  outer.bytes();
  outer.end();
  const r = new CBOR(block, most.own);
  r.tuple(5n);
  if (r.number(64n) !== 1n) throw new Error('version is not known');
  const [height, previous] = [r.number(64n), r.bytes()];
  r.signed();
  const transactions = r.array(() => r.bytes());
  r.end();
  if (previous.length !== 32 || transactions.length < 1 || transactions.length > 256) throw new Error('not a block');
  return { height, previous, hash: sha256(tagged('assay/v1/block', ledger, block)) };
}

function readFabric(block: Uint8Array): BlockHeader {
  if (block.length > most.fabric) throw new Error(`longer than ${most.fabric} bytes`);
  const parts = message(block);
  for (const part of [1, 2, 3]) {
    if (parts.filter(([n]) => n === part).length > 1) throw new Error(`part ${part} is there twice`);
  }
  const [header, data, metadata] = [1, 2, 3].map((part) => all(parts, part)[0]);
  if (header === undefined || data === undefined) throw new Error('a part is missing');
  const entries = repeated(data, most.entries);
  if (entries.length === 0) throw new Error('no entry');
  if (metadata !== undefined) repeated(metadata, most.metadata);
  const fields = message(header);
  const height = fields.flatMap(([n, v]) => (n === 1 && typeof v === 'bigint' ? [v] : [])).at(-1) ?? 0n;
  const [previous, dataHash] = [2, 3].map((n) => all(fields, n).at(-1) ?? new Uint8Array()) as [Uint8Array, Uint8Array];
  if (!equal(sha256(concat(...entries)), dataHash)) throw new Error('data have another hash than the header says');
  return { height, previous, hash: sha256(der(0x30, concat(der(0x02, integer(height)), der(0x04, previous), der(0x04, dataHash)))) };
}

type Field = [number: number, value: Uint8Array | bigint | undefined];

// message reads protobuf as everybody does: the number of each field with its bytes, with what it counts, or, of any other kind, with nothing.
function message(b: Uint8Array): Field[] {
  const out: Field[] = [];
  let from = 0;
  const take = (n: bigint): Uint8Array => {
    if (n > BigInt(b.length - from)) throw new Error('cut short');
    from += Number(n);
    return b.subarray(from - Number(n), from);
  };
  const varint = (): bigint => {
    let v = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = take(1n)[0]!;
      v |= BigInt(byte & 127) << shift;
      if (v >> 64n !== 0n || shift > 63n) throw new Error('number of more than 64 bits');
      if (byte < 128) return v;
    }
  };
  const key = (): [number, number] => {
    const k = varint();
    const number = Number(k >> 3n);
    if (number < 1 || number >= 1 << 29) throw new Error(`no field has number ${number}`);
    return [number, Number(k & 7n)];
  };
  const value = (wire: number): Field[1] => {
    switch (wire) {
      case 0:
        return varint();
      case 1:
        return void take(8n);
      case 2:
        return take(varint());
      case 5:
        return void take(4n);
    }
    throw new Error(`wire type ${wire}`);
  };
  const group = (number: number): undefined => {
    for (const open = [number]; open.length > 0; ) {
      const [n, wire] = key();
      if (wire === 3 && open.push(n) > most.deep) throw new Error('nested too deeply');
      if (wire === 4 && open.pop() !== n) throw new Error('the end of another group');
      if (wire !== 3 && wire !== 4) value(wire);
    }
  };
  while (from < b.length) {
    const [number, wire] = key();
    out.push([number, wire === 3 ? group(number) : value(wire)]);
  }
  return out;
}

const all = (fields: Field[], number: number): Uint8Array[] => fields.flatMap(([n, v]) => (n === number && v instanceof Uint8Array ? [v] : []));

// repeated are the byte strings of a message that has no other field.
function repeated(b: Uint8Array, limit: number): Uint8Array[] {
  const fields = message(b);
  if (fields.filter(([n]) => n === 1).length > limit) throw new Error(`more than ${limit} entries`);
  return all(fields, 1);
}

function der(tag: number, content: Uint8Array): Uint8Array {
  const bytes = toBigEndian(BigInt(content.length), Math.ceil(content.length.toString(16).length / 2));
  return concat(content.length < 128 ? Uint8Array.of(tag) : Uint8Array.of(tag, 0x80 | bytes.length), bytes, content);
}

function integer(v: bigint): Uint8Array {
  const bytes = Math.floor(v.toString(2).length / 8) + 1; // with a bit for the sign
  return toBigEndian(v, bytes);
}
