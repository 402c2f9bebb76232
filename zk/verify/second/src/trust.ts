import { createPublicKey, verify } from 'node:crypto';


import { compare, concat, equal, fromBase64, fromHex, toHex, u64, utf8 } from './bytes.js';
import { readBundle } from './bundle.js';
import { Refusal } from './failure.js';
import { checkFacts, readFacts, type Facts } from './facts.js';
import { genesisID, readGenesis, type Genesis } from './genesis.js';
import { fields, list, readCanonical, signed, text, unsigned, writeJSON, type Json } from './json.js';
import { newKeyring, readPublishedKey, type Keyring } from './keys.js';
import { parseG1 } from './points.js';
import { statementDigest } from './statement.js';
import { verifyRead } from './verify.js';

// Trust is zk/SPEC.md, section 12.
interface Trust {
  ledger: Uint8Array;
  height: bigint;
  keys: Keyring;
  facts: Facts[];
  requests: { id: Uint8Array; status: string }[];
}

const mostBytes = 64 << 20;
const answered = ['verified', 'approved', 'proving'];
const statuses = [...answered, 'withdrawn', 'refused', 'failed', 'expired', 'open'];
const names = ['version', 'ledger', 'genesis', 'height', 'block_hash', 'keys', 'facts', 'requests', 'exported_at', 'exported_by', 'signature'];

// verifyWithTrust verifies a bundle with a trust file (section 12.4).
export function verifyWithTrust(raw: Uint8Array, file: Uint8Array): Json {
  const trust = readTrust(file);
  const bundle = readBundle(raw);
  const facts = trust.facts.find((f) => f.fleet === bundle.statement.fleet && f.epoch === bundle.statement.epoch);
  if (facts === undefined) throw new Refusal('facts-unknown', `fleet ${bundle.statement.fleet} at epoch ${bundle.statement.epoch}`);
  const verdict = verifyRead(bundle, facts, trust.keys);
  const id = statementDigest(bundle.statement.canonical, trust.ledger);
  const request = trust.requests.find((r) => equal(r.id, id));
  if (request === undefined || !answered.includes(request.status)) throw new Refusal('request', 'no request of the ledger is answered');
  return verdict;
}

export function readTrust(file: Uint8Array): Trust {
  try {
    return readFile(file);
  } catch (error) {
    throw new Refusal('trust', error instanceof Error ? error.message : String(error));
  }
}

function readFile(file: Uint8Array): Trust {
  if (file.length > mostBytes) throw new Error(`longer than ${mostBytes} bytes`);
  const f = fields(readCanonical(file, ' ', '\n'), names);
  if (f.get('version') !== 'assay-trust/v1') throw new Error('version is not known');
  const ledger = fromHex(text(f.get('ledger')), 32);
  const genesis = readGenesis(f.get('genesis')!);
  if (!equal(ledger, genesisID(f.get('genesis')!))) throw new Error("ledger is not the genesis' digest");
  checkSignature(f, ledger, genesis);
  fromHex(text(f.get('block_hash')), 32);
  signed(f.get('exported_at'));
  const trust = { ledger, height: unsigned(f.get('height'), 64n), keys: newKeyring(listed(f.get('keys')).map(readPublishedKey)) };
  const facts = listed(f.get('facts')).map(readFacts);
  facts.forEach((one, i) => {
    if (i > 0 && compareFacts(facts[i - 1]!, one) >= 0) throw new Error('facts are out of order');
    checkOwn(one, trust, genesis);
  });
  return { ...trust, facts, requests: readRequests(listed(f.get('requests')), facts, genesis) };
}

const listed = (value: Json | undefined): Json[] => (value === null ? [] : list(value));

function checkSignature(f: Map<string, Json>, ledger: Uint8Array, genesis: Genesis): void {
  const signer = genesis.organisations.find((o) => o.id === f.get('exported_by') && o.roles.includes('regulator'));
  if (signer === undefined) throw new Error('exported by nobody who is a regulator');
  const unsigned = utf8(writeJSON(new Map(f).set('signature', null)));
  const message = concat(utf8('assay/v1/trust'), u64(32n), ledger, u64(BigInt(unsigned.length)), unsigned);
  const signature = f.get('signature') === null ? new Uint8Array() : fromBase64(text(f.get('signature')));
  const key = createPublicKey({ key: Buffer.from(signer.key), format: 'der', type: 'spki' });
  if (!verify(null, message, key, signature)) throw new Error('signature does not verify');
}

function compareFacts(a: Facts, b: Facts): number {
  return compare(utf8(a.fleet), utf8(b.fleet)) || (a.epoch < b.epoch ? -1 : a.epoch > b.epoch ? 1 : 0);
}

// checkOwn is what section 12.3 asks of facts.
function checkOwn(facts: Facts, trust: { ledger: Uint8Array; height: bigint }, genesis: Genesis): void {
  if (!/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/.test(facts.fleet)) throw new Error('fleet is not an id');
  if (!equal(facts.ledger, trust.ledger)) throw new Error('facts are of another ledger');
  if (!genesis.organisations.some((o) => o.id === facts.owner && o.roles.includes('owner'))) throw new Error('owner is not an owner');
  if (facts.epoch >> 32n !== 0n) throw new Error('epoch is beyond the last');
  for (const c of facts.chunks) {
    if (c.index >= 65536) throw new Error('chunk index is out of bounds');
    if (!c.anchored) continue;
    parseG1(c.commitment);
    if (c.height === 0n || c.height > trust.height) throw new Error('anchor is beyond the height');
  }
  checkFacts(facts);
}

function readRequests(requests: Json[], facts: Facts[], genesis: Genesis): Trust['requests'] {
  return requests
    .map((value) => {
      const f = fields(value, ['id', 'fleet', 'epoch', 'requester', 'status', 'time']);
      const [fleet, epoch, requester, status] = [text(f.get('fleet')), unsigned(f.get('epoch'), 64n), text(f.get('requester')), text(f.get('status'))];
      signed(f.get('time'));
      if (!facts.some((one) => one.fleet === fleet && one.epoch === epoch)) throw new Error('request without facts');
      if (!genesis.organisations.some((o) => o.id === requester)) throw new Error('request by nobody');
      if (!statuses.includes(status)) throw new Error('status is not known');
      return { id: fromHex(text(f.get('id')), 32), status };
    })
    .map((r, i, all) => {
      if (i > 0 && toHex(all[i - 1]!.id) >= toHex(r.id)) throw new Error('requests are out of order');
      return r;
    });
}

