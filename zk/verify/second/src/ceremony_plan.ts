import { sha256 } from '@noble/hashes/sha2.js';

import { readDeviceKey, type DeviceKey } from './attestation.js';
import { fromBase64, fromHex, toHex } from './bytes.js';
import { fields, list, signed, text, type Json } from './json.js';
import { checkText } from './statement.js';
import { Transcript } from './transcript.js';

// The plan of a key ceremony is zk/SPEC.md, section 13.1.

export interface Contributor {
  id: string;
  digest: Uint8Array; // of the key
  key: DeviceKey;
}

interface Circuit {
  id: string;
  constraints: Uint8Array;
}

export interface Plan {
  digest: Uint8Array;
  contributors: Contributor[];
  minimum: number;
  circuits: Circuit[];
}

export const tag = (name: string): string => `assay/v1/ceremony/${name}`;
export const srsPart = 'srs/v1';
export const powersPart = 'powers/v1';

export const digest = (value: Json | undefined): Uint8Array => fromHex(text(value), 32);

function between(what: string, value: bigint, least: number, most: number): number {
  if (value < BigInt(least) || value > BigInt(most)) throw new Error(`${what} is ${value}, must be ${least} to ${most}`);
  return Number(value);
}

export function readPlan(value: Json): Plan {
  const p = fields(value, ['version', 'name', 'ledger', 'beacon', 'contributors', 'minimum', 'powers', 'domain', 'circuits']);
  if (p.get('version') !== 'assay-ceremony/v1') throw new Error('the version of the plan is not known');
  const [name, beacon, ledger] = [text(p.get('name')), text(p.get('beacon')), digest(p.get('ledger'))];
  checkText(name, 1, 512);
  checkText(beacon, 1, 512);
  const keys = list(p.get('contributors')).map(readContributor);
  const circuits = list(p.get('circuits')).map(readCircuit);
  between('number of contributors', BigInt(keys.length), 2, 64);
  between('number of circuits', BigInt(circuits.length), 1, 16);
  const minimum = between('minimum', signed(p.get('minimum')), 2, keys.length);
  const powers = between('powers', signed(p.get('powers')), 4, 8194);
  const domain = signed(p.get('domain'));
  if (domain !== BigInt(Math.max(...circuits.map((c) => c.domain)))) throw new Error("domain is not the largest circuit's");
  const folders = [srsPart, powersPart, ...circuits.map((c) => c.id)].map((id) => id.replaceAll('/', '-'));
  for (const names of [folders, keys.map((k) => k.id), keys.map((k) => toHex(k.digest))]) {
    if (new Set(names).size !== names.length) throw new Error('something is listed twice');
  }
  const t = new Transcript(tag('plan'), ledger).text('assay-ceremony/v1').text(name).text(beacon);
  t.uint(minimum).uint(powers).uint(domain).uint(keys.length);
  for (const k of keys) t.text(k.id).bytes(k.der);
  t.uint(circuits.length);
  for (const c of circuits) t.text(c.id).bytes(c.constraints).uint(c.domain);
  return { digest: t.digest(), contributors: keys, minimum, circuits };
}

function readContributor(value: Json): Contributor & { der: Uint8Array } {
  const c = fields(value, ['id', 'key']);
  const [id, der] = [text(c.get('id')), fromBase64(text(c.get('key')))];
  checkText(id, 1, 512);
  return { id, der, digest: sha256(der), key: readDeviceKey(der) };
}

export const isPart = (id: string): boolean => /^[a-z0-9][a-z0-9/-]{0,31}$/.test(id);

function readCircuit(value: Json): Circuit & { domain: number } {
  const c = fields(value, ['id', 'constraints', 'domain']);
  const id = text(c.get('id'));
  if (!isPart(id)) throw new Error('not the name of a circuit');
  const domain = between('domain', signed(c.get('domain')), 8, 1 << 20);
  if ((domain & (domain - 1)) !== 0) throw new Error('domain is no power of two');
  return { id, constraints: digest(c.get('constraints')), domain };
}
