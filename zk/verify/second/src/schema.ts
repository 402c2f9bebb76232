// Schemas, totals and numbers as text (zk/SPEC.md, section 3).

export interface Lane {
  name: string;
  unit: string;
  scale: number;
  offset: bigint;
  greatest: bigint;
}

// Schema lists the lanes from 1; lanes[0] is lane 1.
export interface Schema {
  name: string;
  lanes: Lane[];
}

export const laneCount = 7;

const lane = (name: string, unit: string, scale: number, offset: bigint, greatest: bigint): Lane => ({ name, unit, scale, offset, greatest });

const schemas: Schema[] = [
  {
    name: 'battery/v1',
    lanes: [
      lane('state_of_health', '%', 2, 0n, 15000n),
      lane('equivalent_full_cycles', 'cycles', 1, 0n, 1000000n),
      lane('age_days', 'days', 0, 0n, 36525n),
      lane('remaining_capacity_mAh', 'mAh', 0, 0n, 1048575n),
      lane('voltage_spread_mV', 'mV', 0, 0n, 10000n),
      lane('peak_temperature', '°C', 1, 40n, 2400n),
      lane('fault_count', 'faults', 0, 0n, 65535n),
    ],
  },
  {
    name: 'charger/v1',
    lanes: [
      lane('energy_Wh', 'Wh', 0, 0n, 1000000000n),
      lane('sessions', 'sessions', 0, 0n, 1000000n),
      lane('revenue', 'currency', 2, 0n, 1000000000n),
      lane('uptime_minutes', 'minutes', 0, 0n, 600000n),
      lane('peak_power_W', 'W', 0, 0n, 10000000n),
      lane('faults', 'faults', 0, 0n, 65535n),
      lane('age_days', 'days', 0, 0n, 36525n),
    ],
  },
];

export function findSchema(name: string): Schema {
  const schema = schemas.find((s) => s.name === name);
  if (schema === undefined) throw new Error('schema is not known');
  return schema;
}

// findLane returns a lane's index in lanes.
export function findLane(schema: Schema, name: string): number {
  const i = schema.lanes.findIndex((l) => l.name === name);
  if (i < 0) throw new Error(`schema has no lane ${name}`);
  return i;
}

// Indices of totals.
export const population = 0;
export const count = 1;
export const value = 2;
export const laneSums = 3;
export const totalCount = 10;

export function findTotal(schema: Schema, name: string, valued: boolean): number {
  const i = ['population', 'count', 'value', ...schema.lanes.map((l) => l.name)].indexOf(name);
  if (i < 0 || (i === value && !valued)) throw new Error(`there is no total ${name}`);
  return i;
}

export function totalPlaces(schema: Schema, total: number): number {
  return total === value ? 2 : total < value ? 0 : schema.lanes[total - laneSums]!.scale;
}

export const pow10 = (n: number): bigint => 10n ** BigInt(n);

// readDecimal reads a decimal with at most so many places and returns it × 10^places.
export function readDecimal(text: string, places: number): bigint {
  const found = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?$/.exec(text);
  const fraction = found?.[3] ?? '';
  if (found === null || text.length > 40 || fraction.length > places) throw new Error(`not a decimal with at most ${places} places`);
  const v = BigInt(found[2]! + fraction) * pow10(places - fraction.length);
  if (found[1] === '') return v;
  if (v === 0n) throw new Error('zero has a sign');
  return -v;
}

// readLane reads a lane value and returns what is stored.
export function readLane(l: Lane, text: string): bigint {
  const found = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?$/.exec(text);
  if (found === null || text.length > 32) throw new Error('not a lane value');
  const fraction = found[3] ?? '';
  if (/[^0]/.test(fraction.slice(l.scale))) throw new Error(`lane value has more than ${l.scale} places`);
  const magnitude = BigInt(found[2]! + fraction.slice(0, l.scale).padEnd(l.scale, '0'));
  const v = (found[1] === '' ? magnitude : -magnitude) + l.offset * pow10(l.scale);
  if (v < 0n || v > l.greatest) throw new Error('lane value is out of bounds');
  return v;
}

// formatDecimal writes v / 10^places with exactly that many places.
export function formatDecimal(v: bigint, places: number): string {
  const digits = (v < 0n ? -v : v).toString().padStart(places + 1, '0');
  const split = digits.length - places;
  return (v < 0n ? '-' : '') + digits.slice(0, split) + (places === 0 ? '' : '.' + digits.slice(split));
}
