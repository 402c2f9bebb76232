import { sha256 } from '@noble/hashes/sha2.js';

import { concat, equal, fromBigEndian, utf8 } from './bytes.js';
import { combine, generator1, generator2, negative, pairsToOne, parseG1Uncompressed, parseG2Uncompressed, type G1, type G2 } from './points.js';
import { field } from './transcript.js';

// SRS is zk/SPEC.md, section 11.1.
export interface SRS {
  digest: Uint8Array;
  g1: G1[];
  g2: [G2, G2];
}

const magic = utf8('assay srs bn254\n');
const mostPowers = 8194n;

export function readSRS(file: Uint8Array): SRS {
  if (!equal(file.subarray(0, magic.length), magic)) throw new Error('not an SRS file');
  const powers = fromBigEndian(file.subarray(16, 20));
  if (powers < 2n || powers > mostPowers) throw new Error(`${powers} powers, must be 2 to ${mostPowers}`);
  const end = 20 + 64 * Number(powers);
  if (file.length !== end + 256) throw new Error('not as long as its powers take');
  const g1 = Array.from({ length: Number(powers) }, (_, i) => parseG1Uncompressed(file.subarray(20 + 64 * i, 84 + 64 * i)));
  const g2: [G2, G2] = [parseG2Uncompressed(file.subarray(end, end + 128)), parseG2Uncompressed(file.subarray(end + 128))];
  if (!g1[0]!.equals(generator1) || !g2[0].equals(generator2)) throw new Error('the first points are not the generators');
  if (new Set(g1.map((p) => p.toAffine().x)).size !== g1.length) throw new Error('two powers are equal up to sign');
  checkPowers(g1, g2[1]);
  return { digest: sha256(concat(field(utf8('assay/v1/srs')), file)), g1, g2 };
}

// checkPowers checks that all are the powers of one tau: Σ w_i·G1[i+1] is τ times Σ w_i·G1[i] for random weights.
function checkPowers(g1: G1[], tau: G2): void {
  const random = crypto.getRandomValues(new Uint8Array(16 * (g1.length - 1)));
  const weights = g1.slice(1).map((_, i) => fromBigEndian(random.subarray(16 * i, 16 * i + 16)));
  const high = combine(...weights.map((w, i): [bigint, G1] => [w, g1[i + 1]!]));
  const low = combine(...weights.map((w, i): [bigint, G1] => [w, g1[i]!]));
  if (!pairsToOne([high, generator2], [combine([negative(1n), low]), tau])) throw new Error('not the powers of one tau');
}
