import { concat, toBigEndian } from './bytes.js';
import type { Groth16Proof } from './bundle.js';
import type { CircuitKey } from './keys.js';
import { combine, encodeG1Uncompressed, generator1, generator2, negative, pairsToOne, type G1, type G2 } from './points.js';
import { hashToScalar } from './transcript.js';

// commitmentChallenge is what Groth16 with commitments draws for a commitment that covers one scalar.
export function commitmentChallenge(commitment: G1, covered: bigint): bigint {
  return hashToScalar(concat(encodeG1Uncompressed(commitment), toBigEndian(covered, 32)), 'bsb22-commitment');
}

// verifyGroth16 is zk/SPEC.md, section 9.2. The first commitment covers the first public input, the second the first's challenge.
export function verifyGroth16(key: CircuitKey, proof: Groth16Proof, publicInputs: bigint[]): boolean {
  const inputs = [...publicInputs];
  proof.commitments.forEach((d, i) => inputs.push(commitmentChallenge(d, i === 0 ? inputs[0]! : inputs[inputs.length - 1]!)));
  const challenges = inputs.slice(publicInputs.length);
  if (inputs.length + 1 !== key.k.length || proof.commitments.length !== key.commitments.length) return false;
  if (!commitmentsKnown(key, proof, challenges)) return false;
  const terms = [1n, ...inputs].map((p, i): [bigint, G1] => [p, key.k[i]!]);
  const v = combine(...terms, ...proof.commitments.map((d): [bigint, G1] => [1n, d]));
  return pairsToOne([proof.a.negate(), proof.b], [key.alpha, key.beta], [v, key.gamma], [proof.c, key.delta]);
}

function commitmentsKnown(key: CircuitKey, proof: Groth16Proof, challenges: bigint[]): boolean {
  if (proof.knowledge === undefined) return true;
  const fold = hashToScalar(concat(...challenges.map((c) => toBigEndian(c, 32))), 'G16-BSB22');
  const [first, second] = key.commitments as [CircuitKey['commitments'][0], CircuitKey['commitments'][0]];
  const [d0, d1] = proof.commitments as [G1, G1];
  return pairsToOne([d0, first.secret], [combine([fold, d1]), second.secret], [proof.knowledge, first.generator]);
}

// opens reports whether the polynomial behind a commitment has value y at a point, with Q as the quotient.
export function opens(commitment: G1, y: bigint, at: bigint, quotient: G1, tau: G2): boolean {
  const left = combine([1n, commitment], [negative(y), generator1], [at, quotient]);
  return pairsToOne([left, generator2], [quotient.negate(), tau]);
}
