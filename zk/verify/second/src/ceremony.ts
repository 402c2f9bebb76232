import { concat, equal, fromBase64, fromBigEndian, toBase64, toHex, utf8 } from './bytes.js';
import { digest, isPart, powersPart, readPlan, srsPart, tag, type Contributor, type Plan } from './ceremony_plan.js';
import { Refusal, named } from './failure.js';
import { fields, list, readCanonical, signed, text, type Json } from './json.js';
import { checkText } from './statement.js';
import { Transcript } from './transcript.js';

// The transcript of a key ceremony is zk/SPEC.md, section 13.

interface End {
  part: string;
  contributions: bigint;
  last: Uint8Array;
}

interface Closing {
  ceremony: Uint8Array;
  stage: bigint;
  beacon: Uint8Array;
  source: string;
  parts: End[];
}

interface Header {
  ceremony: Uint8Array;
  part: string;
  previous: Uint8Array;
  contributor: Uint8Array;
  body: Uint8Array;
  number: bigint;
  bytes: bigint;
  signature: Uint8Array;
  signed: Uint8Array;
  digest: Uint8Array;
}

interface Chain {
  part: string;
  last: Uint8Array;
  headers: [Header, Contributor][];
}

const mostBytes = 1 << 20;
const headerBytes = 268;
const mostBody = 1n << 38n;
const zero = new Uint8Array(32);

// readTranscript checks a transcript file and returns its record.
export function readTranscript(file: Uint8Array): Json {
  if (file.length > mostBytes) throw new Refusal('length', `longer than ${mostBytes} bytes`);
  const read = named('encoding', () => readFile(file));
  const plan = named('encoding', () => readPlan(read.plan));
  const [first, second] = checkClosings(plan, read.closings);
  const chains = readChains(plan, read.parts, first, second);
  const transcript = second === undefined ? zero : transcriptDigest(plan, [first!, second]);
  return new Map<string, Json>([
    ['ceremony', toHex(plan.digest)],
    ['contributions', chains.flatMap((c) => c.headers.map(([h, who]) => contribution(h, who)))],
    ['closings', [first, second].flatMap((c) => (c === undefined ? [] : c.parts.map((p) => ending(c, p))))],
    ['transcript', toHex(transcript)],
    ['keys', checkKeys(plan, read.keys, second === undefined ? undefined : transcript)],
  ]);
}

interface File {
  plan: Json;
  parts: { part: string; headers: Uint8Array[] }[];
  closings: Closing[];
  keys: { circuit: string; digest: Uint8Array; source: Uint8Array }[];
}

function readFile(file: Uint8Array): File {
  const f = fields(readCanonical(file, '  ', '\n', false), ['version', 'plan', 'parts', 'closings', 'keys']);
  if (f.get('version') !== 'assay-transcript/v1') throw new Error('version is not known');
  return {
    plan: f.get('plan')!,
    parts: list(f.get('parts')).map((v) => {
      const p = fields(v, ['part', 'headers']);
      return { part: text(p.get('part')), headers: list(p.get('headers')).map((h) => fromBase64(text(h))) };
    }),
    closings: list(f.get('closings')).map(readClosing),
    keys: list(f.get('keys')).map((v) => {
      const k = fields(v, ['circuit_id', 'digest', 'source']);
      return { circuit: text(k.get('circuit_id')), digest: digest(k.get('digest')), source: digest(k.get('source')) };
    }),
  };
}

function readClosing(value: Json): Closing {
  const c = fields(value, ['ceremony', 'stage', 'beacon', 'source', 'parts']);
  return {
    ceremony: digest(c.get('ceremony')),
    stage: signed(c.get('stage')),
    beacon: digest(c.get('beacon')),
    source: text(c.get('source')),
    parts: list(c.get('parts')).map((v) => {
      const p = fields(v, ['part', 'contributions', 'last']);
      return { part: text(p.get('part')), contributions: signed(p.get('contributions')), last: digest(p.get('last')) };
    }),
  };
}

function checkClosings(plan: Plan, closings: Closing[]): (Closing | undefined)[] {
  if (closings.length > 2) throw new Refusal('length', `${closings.length} closings`);
  const [first, second] = closings;
  if (first !== undefined) checkClosing(plan, first, 1n, [srsPart, powersPart]);
  if (second !== undefined) {
    checkClosing(plan, second, 2n, plan.circuits.map((c) => c.id));
    if (equal(second.beacon, first!.beacon)) throw new Refusal('beacon', 'one value closes both stages');
  }
  return [first, second];
}

function checkClosing(plan: Plan, c: Closing, stage: bigint, parts: string[]): void {
  if (!equal(c.ceremony, plan.digest)) throw new Refusal('elsewhere', 'closes another ceremony');
  if (c.stage !== stage || c.parts.length !== parts.length) throw new Refusal('circuit', `does not close stage ${stage}`);
  c.parts.forEach((p, i) => {
    if (p.part !== parts[i]) throw new Refusal('circuit', `closes ${p.part} in place of ${parts[i]}`);
    if (p.contributions < BigInt(plan.minimum) || p.contributions > BigInt(plan.contributors.length)) throw new Refusal('too-few', `${p.contributions} contributions`);
  });
  if (equal(c.beacon, zero)) throw new Refusal('beacon', 'the closing value is zero');
  try {
    checkText(c.source, 1, 512);
  } catch {
    throw new Refusal('beacon', 'the source of the closing value cannot be shown');
  }
}

const endOf = (c: Closing, part: string): End => c.parts.find((p) => p.part === part)!;

function endDigest(c: Closing, end: End): Uint8Array {
  return new Transcript(tag('closing'), c.ceremony).text(end.part).uint(end.contributions).bytes(end.last).text(c.source).bytes(c.beacon).digest();
}

function readChains(plan: Plan, parts: File['parts'], first: Closing | undefined, second: Closing | undefined): Chain[] {
  const names = [srsPart, powersPart, ...plan.circuits.map((c) => c.id)];
  const chains = names.map((name, i) => {
    const part = parts[i];
    if (part?.part !== name) throw new Refusal('circuit', `part ${i} is not ${name}`);
    const closing = i < 2 ? first : second;
    if (i >= 2 && first === undefined && part.headers.length > 0) {
      readHeader(part.headers[0]!);
      throw new Refusal('order', 'the first stage is not closed');
    }
    const chain: Chain = { part: name, last: i >= 2 && first === undefined ? zero : startOf(plan, name, i < 2 ? undefined : first), headers: [] };
    for (const h of part.headers) addHeader(plan, chain, readHeader(h));
    if (closing !== undefined) {
      const end = endOf(closing, name);
      if (BigInt(chain.headers.length) !== end.contributions || !equal(chain.last, end.last)) throw new Refusal('late', `${name} was closed with others`);
    }
    return chain;
  });
  if (parts.length !== names.length) throw new Refusal('circuit', 'a part more than the plan has');
  return chains;
}

function startOf(plan: Plan, part: string, first: Closing | undefined): Uint8Array {
  const t = new Transcript(tag('start'), plan.digest).text(part);
  if (first !== undefined) t.bytes(endDigest(first, endOf(first, powersPart)));
  return t.digest();
}

const trimmed = (b: Uint8Array): string => Buffer.from(b).toString('latin1').replace(/\0*$/, '');

function readHeader(b: Uint8Array): Header {
  if (b.length < headerBytes) throw new Refusal('truncated', `a header of ${b.length} bytes`);
  if (b.length > headerBytes) throw new Refusal('length', `a header of ${b.length} bytes`);
  const at = (from: number, length = 32): Uint8Array => b.subarray(from, from + length);
  const [name, part] = [utf8(tag('contribution')), trimmed(at(64))];
  if (!equal(at(0), concat(name, new Uint8Array(32 - name.length)))) throw new Refusal('encoding', 'not a contribution');
  if (!isPart(part)) throw new Refusal('encoding', 'not the name of a part');
  const bytes = fromBigEndian(at(196, 8));
  if (bytes > mostBody) throw new Refusal('length', `a body of ${bytes} bytes`);
  return {
    ceremony: at(32),
    part,
    previous: at(96),
    contributor: at(128),
    body: at(160),
    number: fromBigEndian(at(192, 4)),
    bytes,
    signature: at(204, 64),
    signed: at(0, 204),
    digest: new Transcript(tag('contribution'), at(32)).bytes(b).digest(),
  };
}

function addHeader(plan: Plan, chain: Chain, h: Header): void {
  if (!equal(h.ceremony, plan.digest)) throw new Refusal('elsewhere', 'made for another ceremony');
  if (h.part !== chain.part) throw new Refusal('circuit', `made for ${h.part}`);
  const who = plan.contributors.find((c) => equal(c.digest, h.contributor));
  if (who === undefined) throw new Refusal('contributor', 'by nobody of the plan');
  if (!named('signature', () => who.key.verify(h.signed, h.signature))) throw new Refusal('signature', `not by ${who.id}`);
  if (h.number !== BigInt(chain.headers.length + 1) || !equal(h.previous, chain.last)) throw new Refusal('order', 'does not follow');
  if (chain.headers.some(([one]) => equal(one.contributor, h.contributor))) throw new Refusal('contributor', `${who.id} a second time`);
  chain.headers.push([h, who]);
  chain.last = h.digest;
}

function transcriptDigest(plan: Plan, closings: Closing[]): Uint8Array {
  const t = new Transcript(tag('transcript'), plan.digest);
  for (const c of closings) {
    for (const p of c.parts) t.bytes(endDigest(c, p));
  }
  return t.digest();
}

function checkKeys(plan: Plan, keys: File['keys'], transcript: Uint8Array | undefined): Json[] {
  if (keys.length === 0) return [];
  if (transcript === undefined) throw new Refusal('order', 'has keys, but is not closed');
  if (keys.length !== 1 + plan.circuits.length) throw new Refusal('key', `${keys.length} keys`);
  return keys.map((k, i): Json => {
    const circuit = i === 0 ? { id: srsPart, constraints: k.source } : plan.circuits[i - 1]!;
    if (k.circuit !== circuit.id || !equal(k.source, circuit.constraints) || equal(k.source, zero) || equal(k.digest, zero)) throw new Refusal('key', `key ${i}`);
    return new Map<string, Json>([
      ['circuit_id', k.circuit],
      ['setup', `ceremony:${toHex(transcript)}`],
      ['digest', toHex(k.digest)],
      ['source', toHex(k.source)],
    ]);
  });
}

function contribution(h: Header, who: Contributor): Json {
  return new Map<string, Json>([
    ['part', h.part],
    ['number', h.number],
    ['contributor', who.id],
    ['digest', toHex(h.digest)],
    ['body', toHex(h.body)],
    ['bytes', h.bytes + BigInt(headerBytes)],
    ['signature', toBase64(h.signature)],
  ]);
}

function ending(c: Closing, end: End): Json {
  return new Map<string, Json>([
    ['part', end.part],
    ['contributions', end.contributions],
    ['last', toHex(end.last)],
    ['beacon', toHex(c.beacon)],
    ['source', c.source],
    ['digest', toHex(endDigest(c, end))],
  ]);
}
