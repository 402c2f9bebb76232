import { readBundle, readChunkProof, readFleetProof, type Bundle, type ChunkProof, type FleetProof } from './bundle.js';
import { Refusal, named } from './failure.js';
import { attested, checkFacts, toBeProven, type ChunkFacts, type Facts } from './facts.js';
import { commitmentChallenge, opens, verifyGroth16 } from './groth16.js';
import type { Json } from './json.js';
import { chunkCircuit, circuitKey, fleetCircuit, srsKeyOf, type Keyring } from './keys.js';
import { fingerprint } from './parameters.js';
import { combine, modulo, parseG1 } from './points.js';
import { population, totalCount } from './schema.js';
import { statementDigest } from './statement.js';
import { Transcript } from './transcript.js';
import { verdictOf } from './verdict.js';

const fleetInputs = 64;
const mostClaims = 4;
const unusedInput = 0x00880b9b071a504e838e070214dfc3971c2a1ef7ca236ea22dccac6d5138e0d0n;

// Question is what every proof of a bundle is bound to.
interface Question {
  facts: Facts;
  keys: Keyring;
  digest: Uint8Array; // of the statement
}

// verifyBundle is zk/SPEC.md, section 9. It returns the verdict of section 10, or throws a Refusal.
export function verifyBundle(raw: Uint8Array, facts: Facts, keys: Keyring): Json {
  return verifyRead(readBundle(raw), facts, keys);
}

// verifyRead is what follows when the bundle is read.
export function verifyRead(bundle: Bundle, facts: Facts, keys: Keyring): Json {
  named('facts', () => checkFacts(facts));
  checkSubject(bundle, facts);
  checkCoverage(bundle, facts);
  const proven = toBeProven(facts);
  checkExtent(bundle, proven);
  const chunks = named('proof-encoding', () => bundle.chunks.map((c) => readChunkProof(c.proof)));
  const fleet = named('proof-encoding', () => bundle.fleet.map(readFleetProof));
  const question = { facts, keys, digest: statementDigest(bundle.statement.canonical, facts.ledger) };
  proven.forEach((f, i) => verifyChunk(question, bundle.statement.parameters, f, chunks[i]!));
  checkResults(bundle, facts);
  verifyChain(question, bundle, chunks.map((c) => c.output), fleet);
  return verdictOf(bundle, facts, keys, question.digest);
}

function checkSubject(bundle: Bundle, facts: Facts): void {
  const s = bundle.statement;
  if (s.fleet !== facts.fleet || s.epoch !== facts.epoch || s.schema.name !== facts.schema) throw new Refusal('subject', 'statement is about something else');
}

function checkCoverage(bundle: Bundle, facts: Facts): void {
  const n = attested(facts);
  if (n === 0n || n * 10000n < bundle.statement.minimumCoverage * facts.enrolled) throw new Refusal('coverage', `${n} of ${facts.enrolled} attested`);
  const accepted = bundle.statement.keyClasses;
  if (accepted.length === 0) return;
  for (const c of facts.chunks) {
    for (const [name, devices] of c.classes) {
      if (devices > 0n && !accepted.includes(name)) throw new Refusal('key-class', `chunk ${c.index} has devices with keys in ${name}`);
    }
  }
}

function checkExtent(bundle: Bundle, proven: ChunkFacts[]): void {
  if (bundle.chunks.length !== proven.length || !proven.every((f, i) => f.index === bundle.chunks[i]!.index)) {
    throw new Refusal('chunks', 'the proven chunks are not those to be proven');
  }
  if (bundle.fleet.length !== chainSteps(proven.length).length) throw new Refusal('chain', `${bundle.fleet.length} fleet proofs`);
}

// chainSteps says how many chunks each fleet proof takes.
function chainSteps(chunks: number): number[] {
  const steps = [Math.min(chunks, fleetInputs)];
  for (let rest = chunks - steps[0]!; rest > 0; rest -= fleetInputs - 1) steps.push(Math.min(rest, fleetInputs - 1));
  return steps;
}

// verifyChunk is section 9.1.
function verifyChunk(q: Question, parameters: bigint[], f: ChunkFacts, p: ChunkProof): void {
  const commitment = named('anchor', () => parseG1(f.commitment));
  const circuit = chunkCircuit(f.size);
  const key = circuitKey(q.keys, circuit);
  const srs = srsKeyOf(q.keys);
  const [g, h] = srs.masks.get(f.size)!;
  const { ledger, fleet, epoch } = q.facts;
  const maskChallenge = new Transcript('assay/v1/mask', ledger)
    .text(circuit).bytes(srs.digest).point(commitment).bytes(q.digest).point(g, h, p.mask, p.r).challenge();
  if (!combine([p.z0, g], [p.z1, h]).equals(combine([1n, p.r], [maskChallenge, p.mask]))) throw new Refusal('mask', `chunk ${f.index}`);
  const masked = commitment.add(p.mask);
  const cd = new Transcript('assay/v1/chunk-digest', ledger)
    .text(circuit).bytes(srs.digest).uint(f.size).point(masked).bytes(q.digest).text(fleet).uint(f.index).uint(epoch).challenge();
  const rho = commitmentChallenge(p.groth16.commitments[0]!, cd);
  const inputs = [cd, rho, p.y, fingerprint(parameters, rho), p.output];
  if (!verifyGroth16(key, p.groth16, inputs)) throw new Refusal('chunk-proof', `chunk ${f.index}`);
  if (!opens(masked, p.y, rho, p.quotient, srs.tau)) throw new Refusal('opening', `chunk ${f.index}`);
}

function checkResults(bundle: Bundle, facts: Facts): void {
  const { claims, disclosed } = bundle.statement;
  if (bundle.holds.length !== claims.length || bundle.disclosed.length !== disclosed.length) throw new Refusal('results', 'other results than asked for');
  if (bundle.disclosed[population] !== attested(facts)) throw new Refusal('population', 'not the number attested');
}

// verifyChain is section 9.3.
function verifyChain(q: Question, bundle: Bundle, outputs: bigint[], proofs: FleetProof[]): void {
  const key = circuitKey(q.keys, fleetCircuit);
  const steps = chainSteps(outputs.length);
  let at = 0;
  proofs.forEach((proof, i) => {
    const inputs = i === 0 ? [] : [proofs[i - 1]!.output];
    inputs.push(...outputs.slice(at, at + steps[i]!));
    at += steps[i]!;
    while (inputs.length < fleetInputs) inputs.push(unusedInput);
    const last = i === steps.length - 1;
    const binding = new Transcript('assay/v1/fleet-digest', q.facts.ledger)
      .text(fleetCircuit).bytes(q.digest).text(q.facts.fleet).uint(q.facts.epoch).uint(i).uint(last ? 1 : 0).challenge();
    const all = [...inputs, i > 0 ? 1n : 0n, proof.output, binding, ...answers(last ? bundle : undefined)];
    if (!verifyGroth16(key, proof.groth16, all)) throw new Refusal('fleet-proof', `proof ${i}`);
  });
}

// answers are the public inputs for claims, results and disclosures; without a bundle there are none.
function answers(bundle: Bundle | undefined): bigint[] {
  const claims = bundle?.statement.claims.map((c) => c.numbers) ?? [];
  const places = Array.from({ length: mostClaims }, (_, i) => i);
  const holds = places.map((i) => (i < claims.length && !bundle!.holds[i] ? 0n : 1n));
  const flags = Array<bigint>(totalCount).fill(0n);
  const totals = Array<bigint>(totalCount).fill(0n);
  bundle?.statement.disclosed.forEach((total, i) => {
    flags[total] = 1n;
    totals[total] = bundle.disclosed[i]!;
  });
  const coefficients = places.flatMap((i) => claims[i]?.a ?? Array<bigint>(totalCount).fill(0n));
  return [...coefficients, ...places.map((i) => claims[i]?.b ?? 0n), ...holds, ...flags, ...totals].map(modulo);
}
