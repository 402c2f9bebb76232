import { toHex } from './bytes.js';
import type { Bundle } from './bundle.js';
import { attested, toBeProven, type Facts } from './facts.js';
import type { Json } from './json.js';
import { chunkCircuit, circuits, fleetCircuit, srsKey, unsafeSetup, type Keyring } from './keys.js';
import { count, formatDecimal, laneSums, pow10, value, type Schema } from './schema.js';

// verdictOf is zk/SPEC.md, section 10.
export function verdictOf(bundle: Bundle, facts: Facts, keys: Keyring, digest: Uint8Array): Json {
  const used = [srsKey, fleetCircuit, ...toBeProven(facts).map((c) => chunkCircuit(c.size))];
  const published = circuits.filter((id) => used.includes(id)).map((id) => keys.published.get(id)!);
  return object({
    ledger: toHex(facts.ledger),
    fleet: facts.fleet,
    owner: facts.owner,
    epoch: facts.epoch,
    statement_digest: toHex(digest),
    statement: bundle.statement.json,
    coverage: coverageOf(facts),
    claims: bundle.statement.claims.map((c, i) => object({ claim: c.formula, holds: bundle.holds[i]! })),
    disclosed: disclosedOf(bundle),
    keys: published.map((k) =>
      object({
        circuit_id: k.circuit,
        digest: toHex(k.digest),
        setup: k.setup,
        ...(k.status && { status: object({ state: k.status.state, reason: k.status.reason, time: k.status.time }) }),
      }),
    ),
    unsafe: published.some((k) => k.setup === unsafeSetup),
    chunks: facts.chunks
      .filter((c) => c.anchored)
      .map((c) => object({ index: BigInt(c.index), attested: c.attested, enrolled: c.enrolled, height: c.height, tx_id: c.txID })),
  });
}

function object(fields: Record<string, Json>): Json {
  return new Map(Object.entries(fields));
}

function coverageOf(facts: Facts): Json {
  const n = attested(facts);
  return object({
    attested: n,
    enrolled: facts.enrolled,
    percent: formatDecimal((n * 10000n) / facts.enrolled, 2),
    missing_chunks: facts.chunks.filter((c) => !c.anchored).map((c) => BigInt(c.index)),
    retired: facts.retired,
  });
}

function disclosedOf(bundle: Bundle): Json[] {
  const { schema, disclosed, currency } = bundle.statement;
  const at = disclosed.indexOf(count);
  const counted = at < 0 ? undefined : bundle.disclosed[at];
  return disclosed.map((total, i) => {
    const [name, shown, unit] = describe(schema, total, bundle.disclosed[i]!, counted, currency);
    return object({ name, value: shown, unit });
  });
}

// describe gives name, value and unit of a disclosed total.
function describe(schema: Schema, total: number, v: bigint, counted: bigint | undefined, currency: string): [string, string, string] {
  if (total === value) return ['value', formatDecimal(v, 2), currency];
  if (total < laneSums) return [total === count ? 'count' : 'population', v.toString(), 'devices'];
  const lane = schema.lanes[total - laneSums]!;
  const name = 'sum of ' + lane.name;
  if (lane.offset !== 0n && counted === undefined) return [name, formatDecimal(v, lane.scale), `${lane.unit} above ${-lane.offset} each`];
  return [name, formatDecimal(v - (counted ?? 0n) * lane.offset * pow10(lane.scale), lane.scale), lane.unit];
}
