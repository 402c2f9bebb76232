import { createInterface } from 'node:readline';

import { bitmap, merkleRoot, readDeviceKey, verifyAttestation } from './attestation.js';
import { readBlock } from './blocks.js';
import { fromBase64, fromHex, toHex } from './bytes.js';
import { readTranscript } from './ceremony.js';
import { Refusal, named } from './failure.js';
import { readFacts } from './facts.js';
import { list, readJSON, text, unsigned, writeJSON, type Json } from './json.js';
import { newKeyring, readPublishedKey, type Keyring } from './keys.js';
import { encodeG1, infinity, parseG1, parseG2 } from './points.js';
import { isPrintable } from './printable.js';
import { readSRS, type SRS } from './srs.js';
import { readStatement, statementDigest } from './statement.js';
import { Transcript, hashToScalar } from './transcript.js';
import { readTrust, verifyWithTrust } from './trust.js';
import { verifyBundle } from './verify.js';

// Requests come as JSON objects, one a line, with the name of an operation in "op". Each is answered by one line: an object with "failure", empty if
// there is none, and what the operation gives.

type Request = Map<string, Json>;

const base64 = (q: Request, name: string): Uint8Array => fromBase64(text(q.get(name)));

const operations: Record<string, (q: Request) => [string, Json][]> = {
  keys: (q) => (keyring(q.get('keys')), []),
  bundle: (q) => [['verdict', verifyBundle(base64(q, 'bundle'), readFacts(q.get('facts')!), keyring(q.get('keys')))]],
  trust: (q) => (q.has('bundle') ? [['verdict', verifyWithTrust(base64(q, 'bundle'), base64(q, 'trust'))]] : (readTrust(base64(q, 'trust')), [])),
  ceremony: (q) => [['record', readTranscript(base64(q, 'file'))]],
  block: (q) => {
    const block = named('block', () => readBlock(text(q.get('format')), base64(q, 'block'), fromHex(text(q.get('ledger')), 32)));
    return [
      ['height', block.height],
      ['previous', toHex(block.previous)],
      ['hash', toHex(block.hash)],
    ];
  },
  statement: (q) => {
    const s = named('statement', () => readStatement(base64(q, 'statement')));
    return [
      ['digest', toHex(statementDigest(s.canonical, fromHex(text(q.get('ledger')), 32)))],
      ['parameters', s.parameters.map(String)],
      ['claims', s.claims.map((c) => [...c.numbers.a.map(String), String(c.numbers.b)])],
      ['disclosed', s.disclosed.map(BigInt)],
    ];
  },
  point: (q) => (named('point', () => (q.has('g1') ? parseG1(base64(q, 'g1')) : parseG2(base64(q, 'g2')))), []),
  hash: (q) => [['scalar', String(hashToScalar(base64(q, 'message'), text(q.get('dst'))))]],
  transcript: (q) => {
    const t = new Transcript(text(q.get('tag')), fromHex(text(q.get('ledger')), 32));
    for (const value of list(q.get('values'))) t.bytes(fromBase64(text(value)));
    return [
      ['challenge', String(t.challenge())],
      ['digest', toHex(t.digest())],
    ];
  },
  printable: () => [['ranges', printableRanges()]],
  srs: (q) => [['digest', toHex(srsOf(q).digest)]],
  attestation: (q) => (verifyOne(q, text(q.get('attestation')), srsOf(q)), []),
  anchor: (q) => {
    const srs = srsOf(q);
    const all = list(q.get('attestations')).map((v) => v as Request);
    const sum = all.reduce((c, a) => c.add(verifyOne(a, text(a.get('attestation')), srs)), infinity);
    const slots = all.map((a) => Number(unsigned(a.get('slot'), 32n)));
    return [
      ['commitment', toHex(encodeG1(sum))],
      ['root', toHex(merkleRoot(all.map((a) => base64(a, 'attestation'))))],
      ['bitmap', toHex(bitmap(Number(unsigned(all[0]!.get('size'), 32n)), slots))],
    ];
  },
};

function verifyOne(q: Request, attestation: string, srs: SRS) {
  const number = (name: string) => Number(unsigned(q.get(name), 32n));
  const place = { fleet: text(q.get('fleet')), chunk: number('chunk'), size: number('size'), slot: number('slot'), epoch: unsigned(q.get('epoch'), 64n) };
  const key = named('device-key', () => readDeviceKey(base64(q, 'key')));
  return verifyAttestation(fromBase64(attestation), fromHex(text(q.get('ledger')), 32), srs, place, key);
}

// What is read once is kept for the next request: parsing takes longer than most of what is asked.
const keyrings = new Map<string, Keyring>();
const files = new Map<string, SRS>();

function keyring(keys: Json | undefined): Keyring {
  return once(keyrings, writeJSON(keys ?? null), () => newKeyring(list(keys).map(readPublishedKey)));
}

function srsOf(q: Request): SRS {
  return once(files, text(q.get('srs')), () => named('srs', () => readSRS(base64(q, 'srs'))));
}

function once<T>(kept: Map<string, T>, name: string, make: () => T): T {
  const found = kept.get(name) ?? make();
  if (kept.size > 16) kept.clear();
  kept.set(name, found);
  return found;
}

function printableRanges(): Json[] {
  const out: Json[] = [];
  for (let c = 0, was = false; c <= 0x110000; c++) {
    const is = c < 0x110000 && isPrintable(c);
    if (is !== was) out.push(BigInt(c));
    was = is;
  }
  return out;
}

function answer(line: string): Json {
  try {
    const q = readJSON(line) as Request;
    const operation = operations[text(q.get('op'))];
    if (operation === undefined) throw new Error('no such operation');
    return new Map<string, Json>([['failure', ''], ...operation(q)]);
  } catch (error) {
    if (error instanceof Refusal) return new Map<string, Json>([['failure', error.failure], ['why', error.message]]);
    return new Map<string, Json>([['failure', 'internal'], ['why', error instanceof Error ? (error.stack ?? error.message) : String(error)]]);
  }
}

export function serve(): void {
  createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', (line) => process.stdout.write(writeJSON(answer(line)) + '\n'));
}
