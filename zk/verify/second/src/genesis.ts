import { sha256 } from '@noble/hashes/sha2.js';

import { concat, equal, fromBase64, fromHex, u64, utf8 } from './bytes.js';
import { fields, list, signed, text, writeJSON, type Json } from './json.js';
import { checkText } from './statement.js';

// Genesis is zk/SPEC.md, section 12.1.
export interface Genesis {
  organisations: Organisation[];
}

export interface Organisation {
  id: string;
  roles: string[];
  msp: string;
  key: Uint8Array;
}

const names = [
  'version', 'name', 'organisations', 'epoch_zero', 'epoch_seconds', 'anchor_window_seconds', 'clock_skew_seconds', 'proposal_age_seconds', 'quorum',
];
const mostOrganisations = 64;
const keyHeader = fromHex('302a300506032b6570032100', 12);

export function genesisID(json: Json): Uint8Array {
  const canonical = utf8(writeJSON(json));
  return sha256(concat(utf8('assay/v1/genesis'), u64(BigInt(canonical.length)), canonical));
}

export function readGenesis(json: Json): Genesis {
  const f = fields(json, names);
  if (f.get('version') !== 'assay-genesis/v1') throw new Error('genesis: version is not known');
  checkText(text(f.get('name')), 1, 128);
  checkTimes(f);
  const organisations = list(f.get('organisations')).map(readOrganisation);
  if (organisations.length > mostOrganisations) throw new Error('genesis: too many organisations');
  organisations.forEach((o, i) => {
    const same = organisations.slice(0, i).some((p) => p.id === o.id || p.msp === o.msp || equal(p.key, o.key));
    if (same) throw new Error(`genesis: organisation ${o.id} has an id, a key or an MSP id of another`);
  });
  checkQuorum(f.get('quorum')!, organisations);
  return { organisations };
}

function between(value: Json | undefined, least: bigint, most: bigint): bigint {
  const v = signed(value);
  if (v < least || v > most) throw new Error(`genesis: ${v} is not within ${least} and ${most}`);
  return v;
}

function checkTimes(f: Map<string, Json>): void {
  between(f.get('epoch_zero'), 0n, 253402300799n);
  const skew = between(f.get('clock_skew_seconds'), 1n, 60n);
  between(f.get('proposal_age_seconds'), 1n, 3600n);
  const epoch = between(f.get('epoch_seconds'), 4n * skew, 31622400n);
  between(f.get('anchor_window_seconds'), 1n, epoch);
}

function readOrganisation(value: Json): Organisation {
  const f = fields(value, ['id', 'name', 'roles', 'msp', 'key'], ['msp']);
  const id = text(f.get('id'));
  if (!/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/.test(id)) throw new Error('genesis: not an id');
  checkText(text(f.get('name')), 1, 128);
  const msp = f.has('msp') ? text(f.get('msp')) : id;
  if (f.has('msp') && (msp === id || !/^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/.test(msp))) throw new Error('genesis: not an MSP id');
  const roles = list(f.get('roles')).map(text);
  const known = ['owner', 'financier', 'regulator'];
  if (roles.length === 0 || new Set(roles).size !== roles.length || !roles.every((r) => known.includes(r))) throw new Error('genesis: roles are not different known ones');
  if (roles.includes('owner') && roles.includes('regulator')) throw new Error('genesis: a regulator owns something');
  const key = fromBase64(text(f.get('key')));
  if (key.length !== 44 || !equal(key.subarray(0, 12), keyHeader)) throw new Error('genesis: key is not Ed25519');
  return { id, roles, msp, key };
}

function checkQuorum(quorum: Json, organisations: Organisation[]): void {
  const f = fields(quorum, ['regulators', 'others']);
  const regulators = organisations.filter((o) => o.roles.includes('regulator')).length;
  const independent = organisations.filter((o) => !o.roles.includes('owner')).length;
  const asked = between(f.get('regulators'), 1n, BigInt(regulators));
  between(f.get('others'), 1n, BigInt(independent) - asked);
}
