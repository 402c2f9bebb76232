import { sha256 } from '@noble/hashes/sha2.js';

import { concat, u64, utf8 } from './bytes.js';
import { formula, integerClaim, type Claim, type IntegerClaim } from './claims.js';
import { fields, list, readCanonical, text, unsigned, type Json } from './json.js';
import { parametersOf, readKnots, type Bounds, type Curve } from './parameters.js';
import { isPrintable } from './printable.js';
import { findLane, findSchema, findTotal, population, readDecimal, readLane, totalCount, type Schema } from './schema.js';

// Statement is zk/SPEC.md, sections 4 and 5.
export interface Statement {
  canonical: Uint8Array;
  json: Json;
  fleet: string;
  epoch: bigint;
  schema: Schema;
  parameters: bigint[];
  claims: { formula: string; numbers: IntegerClaim }[];
  disclosed: number[]; // indices of totals, ascending
  currency: string;
  minimumCoverage: bigint; // in 0.01 %
  keyClasses: string[];
}

const mostBytes = 65536;
const names = [
  'version', 'fleet', 'epoch', 'schema', 'cohort', 'valuation', 'claims', 'disclose', 'minimum_coverage', 'key_classes', 'requester', 'grant', 'purpose',
  'nonce', 'expiry',
];

export function readStatement(canonical: Uint8Array): Statement {
  if (canonical.length > mostBytes) throw new Error(`statement is longer than ${mostBytes} bytes`);
  const json = readCanonical(canonical);
  const f = fields(json, names, ['valuation', 'key_classes']);
  if (f.get('version') !== 'assay-statement/v1') throw new Error('version is not known');
  const schema = findSchema(text(f.get('schema')));
  checkParties(f);
  const bounds = readCohort(schema, list(f.get('cohort')));
  const valuation = f.has('valuation') ? readValuation(schema, f.get('valuation')!) : undefined;
  const parameters = parametersOf(bounds, valuation?.curves ?? [], valuation?.price ?? 0n);
  return {
    canonical,
    json,
    fleet: text(f.get('fleet')),
    epoch: unsigned(f.get('epoch'), 64n),
    schema,
    parameters,
    claims: readClaims(schema, list(f.get('claims')), valuation !== undefined),
    disclosed: readDisclosed(schema, list(f.get('disclose')), valuation !== undefined),
    currency: valuation?.currency ?? '',
    minimumCoverage: readBetween(text(f.get('minimum_coverage')), 10000n),
    keyClasses: readKeyClasses(f.get('key_classes')),
  };
}

export function statementDigest(canonical: Uint8Array, ledger: Uint8Array): Uint8Array {
  return sha256(concat(utf8('assay/statement/v1'), ledger, u64(BigInt(canonical.length)), canonical));
}

function checkParties(f: Map<string, Json>): void {
  checkText(text(f.get('fleet')), 1, 128);
  checkText(text(f.get('requester')), 1, 128);
  checkText(text(f.get('grant')), 0, 128);
  checkText(text(f.get('purpose')), 1, 512);
  if (!/^[0-9a-f]{32}$/.test(text(f.get('nonce')))) throw new Error('nonce is not 16 bytes in hexadecimal');
  checkExpiry(text(f.get('expiry')));
}

export function checkText(s: string, least: number, most: number): void {
  const n = utf8(s).length;
  if (n < least || n > most) throw new Error(`text has ${n} bytes, must have ${least} to ${most}`);
  for (const c of s) {
    if (!isPrintable(c.codePointAt(0)!)) throw new Error('text holds an unprintable character');
  }
}

function checkExpiry(expiry: string): void {
  const at = /^[2-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(expiry) ? Date.parse(expiry) : NaN;
  if (Number.isNaN(at) || new Date(at).toISOString() !== expiry.replace('Z', '.000Z')) throw new Error('expiry is not a time');
}

function readCohort(schema: Schema, cohort: Json[]): Bounds {
  const bounds = { lo: schema.lanes.map(() => 0n), hi: schema.lanes.map((l) => l.greatest) };
  const seen = new Set<number>();
  for (const range of cohort) {
    const f = fields(range, ['lane', 'min', 'max'], ['min', 'max']);
    const i = findLane(schema, text(f.get('lane')));
    if (seen.has(i) || f.size < 2) throw new Error('range is of a lane that came before, or of nothing');
    seen.add(i);
    if (f.has('min')) bounds.lo[i] = readLane(schema.lanes[i]!, text(f.get('min')));
    if (f.has('max')) bounds.hi[i] = readLane(schema.lanes[i]!, text(f.get('max')));
    if (bounds.lo[i]! > bounds.hi[i]!) throw new Error('min is above max');
  }
  return bounds;
}

function readBetween(decimal: string, greatest: bigint): bigint {
  const v = readDecimal(decimal, 2);
  if (v < 0n || v > greatest) throw new Error('number is out of bounds');
  return v;
}

function readValuation(schema: Schema, valuation: Json): { price: bigint; currency: string; curves: Curve[] } {
  const f = fields(valuation, ['price', 'currency', 'curves']);
  const currency = text(f.get('currency'));
  if (!/^[A-Z]{3}$/.test(currency)) throw new Error('currency is not three capital letters');
  const curves = list(f.get('curves')).map((curve) => {
    const c = fields(curve, ['lane', 'knots']);
    const lane = findLane(schema, text(c.get('lane')));
    const knots = list(c.get('knots')).map((k) => fields(k, ['at', 'factor']));
    return { lane, knots: readKnots(schema.lanes[lane]!, knots.map((k) => ({ at: text(k.get('at')), factor: text(k.get('factor')) }))) };
  });
  if (curves.length > 2 || (curves.length === 2 && curves[0]!.lane === curves[1]!.lane)) throw new Error('curves are not at most two over different lanes');
  return { price: readBetween(text(f.get('price')), 1n << 40n), currency, curves };
}

function readClaims(schema: Schema, claims: Json[], valued: boolean): Statement['claims'] {
  if (claims.length > 4) throw new Error(`${claims.length} claims`);
  return claims.map((claim) => {
    const f = fields(claim, ['terms', 'at_least']);
    const terms = list(f.get('terms')).map((term) => {
      const t = fields(term, ['total', 'coefficient']);
      return { total: text(t.get('total')), coefficient: text(t.get('coefficient')) };
    });
    const read: Claim = { terms, atLeast: text(f.get('at_least')) };
    return { formula: formula(read), numbers: integerClaim(schema, read, valued) };
  });
}

function readDisclosed(schema: Schema, disclose: Json[], valued: boolean): number[] {
  const named = disclose.map((name) => findTotal(schema, text(name), valued));
  if (named.length > totalCount || new Set(named).size !== named.length) throw new Error('totals are disclosed twice');
  return Array.from(new Set([population, ...named])).sort((a, b) => a - b);
}

function readKeyClasses(classes: Json | undefined): string[] {
  if (classes === undefined) return [];
  const out = list(classes).map(text);
  const known = ['secure_element', 'module', 'gateway', 'software'];
  if (new Set(out).size !== out.length || !out.every((c) => known.includes(c))) throw new Error('key classes are not different known ones');
  return out;
}
