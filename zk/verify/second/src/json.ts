import { fromUTF8 } from './bytes.js';

// JSON in its one encoding (zk/SPEC.md, section 2.6). Numbers are whole and exact.
export type Json = null | boolean | bigint | string | Json[] | Map<string, Json>;

const deepest = 32;

// readJSON reads one value. Its layout is writeJSON's to compare.
export function readJSON(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value(0);
  if (reader.rest() !== '') throw new Error('JSON: something follows the value');
  return value;
}

// readCanonical reads what writeJSON writes with that indentation, behind which an ending may be asked for.
export function readCanonical(b: Uint8Array, indentation = '', ending = '', html = true): Json {
  const text = fromUTF8(b);
  const value = readJSON(text);
  if (writeJSON(value, indentation, html) + ending !== text) throw new Error('JSON is not in its one encoding');
  return value;
}

class Reader {
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  rest(): string {
    this.space();
    return this.text.slice(this.at);
  }

  value(depth: number): Json {
    if (depth > deepest) throw new Error('JSON is nested too deeply');
    this.space();
    switch (this.text[this.at]) {
      case '{':
        return this.object(depth);
      case '[':
        return this.array(depth);
      case '"':
        return this.string();
      case 't':
        return this.word('true', true);
      case 'f':
        return this.word('false', false);
      case 'n':
        return this.word('null', null);
    }
    return this.number();
  }

  private object(depth: number): Json {
    const out = new Map<string, Json>();
    this.list('}', () => {
      this.space();
      const name = this.string();
      this.expect(':');
      if (out.has(name)) throw new Error(`JSON: ${name} comes twice`);
      out.set(name, this.value(depth + 1));
    });
    return out;
  }

  private array(depth: number): Json {
    const out: Json[] = [];
    this.list(']', () => out.push(this.value(depth + 1)));
    return out;
  }

  private list(end: string, item: () => void): void {
    this.at++;
    this.space();
    if (this.text[this.at] === end) {
      this.at++;
      return;
    }
    for (;;) {
      item();
      this.space();
      if (this.text[this.at] === end) {
        this.at++;
        return;
      }
      this.expect(',');
    }
  }

  private string(): string {
    const from = this.at;
    if (this.text[from] !== '"') throw new Error('JSON: text expected');
    for (this.at++; this.text[this.at] !== '"'; this.at++) {
      if (this.text[this.at] === '\\') this.at++;
      if (this.at >= this.text.length) throw new Error('JSON: text without an end');
    }
    this.at++;
    return JSON.parse(this.text.slice(from, this.at)) as string;
  }

  private number(): bigint {
    const found = /-?(?:0|[1-9][0-9]*)/y;
    found.lastIndex = this.at;
    const match = found.exec(this.text);
    if (match === null || match[0].length > 21) throw new Error('JSON: value expected');
    this.at += match[0].length;
    return BigInt(match[0]);
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) throw new Error('JSON: value expected');
    this.at += word.length;
    return value;
  }

  private expect(c: string): void {
    this.space();
    if (this.text[this.at] !== c) throw new Error(`JSON: ${c} expected`);
    this.at++;
  }

  private space(): void {
    while (this.at < this.text.length && ' \t\r\n'.includes(this.text[this.at]!)) this.at++;
  }
}

// writeJSON writes a value, compact without an indentation. What HTML could take for its own is escaped, unless it is not to be.
export function writeJSON(value: Json, indentation = '', html = true): string {
  return write(value, indentation, indentation === '' ? '' : '\n', html ? /["\\<>&\u0000-\u001f\u2028\u2029]/g : /["\\\u0000-\u001f\u2028\u2029]/g);
}

function write(value: Json, indentation: string, line: string, escaped: RegExp): string {
  if (typeof value === 'string') return quoted(value, escaped);
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  const inner = line + indentation;
  const colon = indentation === '' ? ':' : ': ';
  const [open, close, items] = Array.isArray(value)
    ? ['[', ']', value.map((item) => write(item, indentation, inner, escaped))]
    : ['{', '}', Array.from(value, ([name, item]) => quoted(name, escaped) + colon + write(item, indentation, inner, escaped))];
  return items.length === 0 ? open + close : open + inner + items.join(',' + inner) + line + close;
}

const short: Record<string, string> = { '"': '\\"', '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function quoted(text: string, escaped: RegExp): string {
  return '"' + text.replace(escaped, (c) => short[c] ?? '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0')) + '"';
}

// fields reads an object whose fields are those named, in that order. The optional ones may be left out, and are when they are empty.
export function fields(value: Json | undefined, names: string[], optional: string[] = []): Map<string, Json> {
  if (!(value instanceof Map)) throw new Error('JSON: object expected');
  const order = names.filter((name) => value.has(name));
  if (order.length !== value.size || !Array.from(value.keys()).every((name, i) => name === order[i])) throw new Error(`JSON: fields are not ${names.join(', ')}`);
  for (const name of names) {
    if (!optional.includes(name) && !value.has(name)) throw new Error(`JSON: ${name} is missing`);
    if (optional.includes(name) && value.has(name) && empty(value.get(name)!)) throw new Error(`JSON: ${name} is empty`);
  }
  return value;
}

function empty(value: Json): boolean {
  return value === null || value === '' || value === 0n || value === false || (Array.isArray(value) && value.length === 0) || (value instanceof Map && value.size === 0);
}

export function text(value: Json | undefined): string {
  if (typeof value !== 'string') throw new Error('JSON: text expected');
  return value;
}

export function list(value: Json | undefined): Json[] {
  if (!Array.isArray(value)) throw new Error('JSON: list expected');
  return value;
}

export function bool(value: Json | undefined): boolean {
  if (typeof value !== 'boolean') throw new Error('JSON: true or false expected');
  return value;
}

// unsigned reads a number of so many bits, signed one of 64 bits with its sign.
export function unsigned(value: Json | undefined, bits: bigint): bigint {
  if (typeof value !== 'bigint' || value < 0n || value >> bits !== 0n) throw new Error(`JSON: number of ${bits} bits expected`);
  return value;
}

export function signed(value: Json | undefined): bigint {
  if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) throw new Error('JSON: number of 64 bits expected');
  return value;
}
