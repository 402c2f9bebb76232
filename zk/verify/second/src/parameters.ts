import { modulo, order, plus, times } from './points.js';
import { laneCount, pow10, readDecimal, readLane, type Lane } from './schema.js';

// From a statement's cohort and valuation to the circuit's parameters (zk/SPEC.md, sections 5.1 to 5.3).

// Bounds are lowest and highest stored values by lane.
export interface Bounds {
  lo: bigint[];
  hi: bigint[];
}

export interface Knot {
  at: bigint;
  factor: bigint; // × 10^6
}

// Curve is over a lane, an index in the schema's lanes.
export interface Curve {
  lane: number;
  knots: Knot[];
}

interface Segment {
  start: bigint;
  end: bigint;
  base: bigint;
  slope: bigint;
}

const greatestFactor = 10n;
const mostSegments = 9;
const mostKnots = 8;

export function readKnots(lane: Lane, knots: { at: string; factor: string }[]): Knot[] {
  if (knots.length < 1 || knots.length > mostKnots) throw new Error(`curve has ${knots.length} knots`);
  const out = knots.map((k) => ({ at: readLane(lane, k.at), factor: readDecimal(k.factor, 6) }));
  out.forEach((k, i) => {
    if (i > 0 && k.at <= out[i - 1]!.at) throw new Error('knots do not ascend');
    if (k.factor < 0n || k.factor > greatestFactor * pow10(6)) throw new Error('factor is out of bounds');
  });
  return out;
}

function segmentsOf(knots: Knot[], lo: bigint, hi: bigint): Segment[] {
  const first = knots[0]!;
  const last = knots[knots.length - 1]!;
  const pieces = [{ from: 0n, to: first.at - 1n, at: 0n, factor: first.factor, slope: 0n }];
  for (let j = 0; j + 1 < knots.length; j++) {
    const [a, b] = [knots[j]!, knots[j + 1]!];
    pieces.push({ from: a.at, to: b.at - 1n, at: a.at, factor: a.factor, slope: floorDiv((b.factor - a.factor) << 32n, b.at - a.at) });
  }
  pieces.push({ from: last.at, to: (1n << 32n) - 1n, at: last.at, factor: last.factor, slope: 0n });
  const out: Segment[] = [];
  for (const p of pieces) {
    const start = p.from > lo ? p.from : lo;
    const end = p.to < hi ? p.to : hi;
    if (start > end) continue;
    const base = (p.factor << 32n) + p.slope * (start - p.at);
    if (base + p.slope * (end - start) < 0n) throw new Error('curve falls below zero');
    out.push({ start, end, base, slope: p.slope });
  }
  return out;
}

// floorDiv rounds towards minus infinity; b is positive.
function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return quotient * b > a ? quotient - 1n : quotient;
}

// parametersOf lists the 115 numbers as scalars.
export function parametersOf(bounds: Bounds, curves: Curve[], price: bigint): bigint[] {
  const lanes: number[] = [];
  const segments: Segment[][] = [];
  for (let i = 0; i < 2; i++) {
    const curve = curves[i];
    const lane = curve?.lane ?? (i === 1 && lanes[0] === 0 ? 1 : 0);
    lanes.push(lane);
    const [lo, hi] = [bounds.lo[lane]!, bounds.hi[lane]!];
    segments.push(curve === undefined ? [{ start: lo, end: hi, base: pow10(6) << 32n, slope: 0n }] : segmentsOf(curve.knots, lo, hi));
  }
  const besideCurves = (v: bigint, i: number) => (lanes.includes(i) ? 0n : v);
  const selector = (lane: number) => Array.from({ length: laneCount }, (_, i) => (i === lane ? 1n : 0n));
  return [
    ...bounds.lo.map(besideCurves),
    ...bounds.hi.map(besideCurves),
    ...bounds.lo,
    ...bounds.hi,
    ...lanes.flatMap(selector),
    ...segments.flatMap(columns),
    price,
  ].map(modulo);
}

function columns(segments: Segment[]): bigint[] {
  const places = Array.from({ length: mostSegments }, (_, j) => segments[j] ?? { start: BigInt(j) + 1n, end: BigInt(j), base: 0n, slope: 0n });
  return [...places.map((s) => s.start), ...places.map((s) => s.end), ...places.map((s) => s.base), ...places.map((s) => s.slope)];
}

// fingerprint is Σ v_i·ρ^i.
export function fingerprint(parameters: bigint[], rho: bigint): bigint {
  return parameters.reduceRight((sum, v) => plus(times(sum, rho), v), 0n) % order;
}
