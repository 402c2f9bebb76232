import { count, findTotal, laneSums, readDecimal, totalCount, totalPlaces, type Schema } from './schema.js';

// Claims as whole numbers and as formulas (zk/SPEC.md, sections 5.4 and 10).

export interface Term {
  total: string;
  coefficient: string;
}

export interface Claim {
  terms: Term[];
  atLeast: string;
}

// IntegerClaim is Σ a·total ≥ b.
export interface IntegerClaim {
  a: bigint[];
  b: bigint;
}

const coefficientBits = 40n;
const boundBits = 123n;

export function integerClaim(schema: Schema, claim: Claim, valued: boolean): IntegerClaim {
  if (claim.terms.length < 1 || claim.terms.length > totalCount) throw new Error(`claim has ${claim.terms.length} terms`);
  if (new Set(claim.terms.map((t) => t.total)).size !== claim.terms.length) throw new Error('a total appears twice');
  const a = Array<bigint>(totalCount).fill(0n);
  for (const term of claim.terms) {
    const total = findTotal(schema, term.total, valued);
    const scaled = readDecimal(term.coefficient, 6) * 10n ** 9n; // × 10^15
    a[total]! += scaled / 10n ** BigInt(totalPlaces(schema, total));
    const offset = total < laneSums ? 0n : schema.lanes[total - laneSums]!.offset;
    a[count]! -= offset * scaled;
  }
  return reduced(a, readDecimal(claim.atLeast, 6) * 10n ** 9n);
}

function reduced(a: bigint[], b: bigint): IntegerClaim {
  const divisor = [...a, b].reduce(gcd, 0n);
  const out = divisor === 0n ? { a, b } : { a: a.map((v) => v / divisor), b: b / divisor };
  if (out.a.every((v) => v === 0n)) throw new Error('every coefficient is zero');
  if (out.a.some((v) => magnitude(v) >> coefficientBits !== 0n)) throw new Error('coefficient is too large');
  if (magnitude(out.b) >> boundBits !== 0n) throw new Error('at_least is too large');
  return out;
}

const magnitude = (v: bigint): bigint => (v < 0n ? -v : v);

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [magnitude(a), magnitude(b)];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

export function formula(claim: Claim): string {
  let out = '';
  claim.terms.forEach((t, i) => {
    const negative = t.coefficient.startsWith('-');
    const coefficient = negative ? t.coefficient.slice(1) : t.coefficient;
    out += i === 0 ? (negative ? '−' : '') : negative ? ' − ' : ' + ';
    out += (coefficient === '1' ? '' : coefficient + '·') + t.total;
  });
  return out + ' ≥ ' + claim.atLeast.replace('-', '−');
}
