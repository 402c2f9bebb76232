'use strict';

// unpackLZMA unpacks a .lzma file of one stream with an end marker, as `xz --format=lzma` writes it, into exactly size bytes. The names and the order of things are those of the format's
// description, "LZMA specification (draft version)" of 2015. Reading behind the end of the input gives zeros, which end in an error below or in an unpacked program that does not compile.
function unpackLZMA(input, size) {
  const properties = input[0];
  const lc = properties % 9, lp = Math.floor(properties / 9) % 5, pb = Math.floor(properties / 45);
  const out = new Uint8Array(size);
  let at = 0, next = 13, range = 0xFFFFFFFF, code = 0;
  for (let i = 0; i < 5; i++) code = (code << 8 | input[next++]) >>> 0; // the first of five is 0

  const probabilities = (n) => new Uint16Array(n).fill(1024);
  const normalise = () => {
    if (range < 0x1000000) {
      range = (range << 8) >>> 0;
      code = (code << 8 | input[next++]) >>> 0;
    }
  };
  const bit = (p, i) => {
    const bound = (range >>> 11) * p[i];
    let b = 0;
    if (code < bound) {
      range = bound;
      p[i] += (2048 - p[i]) >>> 5;
    } else {
      range -= bound;
      code -= bound;
      p[i] -= p[i] >>> 5;
      b = 1;
    }
    normalise();
    return b;
  };
  const direct = (n) => {
    let v = 0;
    while (n-- > 0) {
      range >>>= 1;
      const b = code >= range ? 1 : 0;
      if (b) code -= range;
      normalise();
      v = (v << 1 | b) >>> 0;
    }
    return v;
  };
  const tree = (p, from, bits) => {
    let m = 1;
    for (let i = 0; i < bits; i++) m = m << 1 | bit(p, from + m);
    return m - (1 << bits);
  };
  const reversed = (p, from, bits) => {
    let m = 1, v = 0;
    for (let i = 0; i < bits; i++) {
      const b = bit(p, from + m);
      m = m << 1 | b;
      v |= b << i;
    }
    return v;
  };
  const lengths = () => ({ choice: probabilities(2), low: probabilities(16 << 3), mid: probabilities(16 << 3), high: probabilities(256) });
  const length = (l, position) => {
    if (!bit(l.choice, 0)) return 2 + tree(l.low, position << 3, 3);
    if (!bit(l.choice, 1)) return 10 + tree(l.mid, position << 3, 3);
    return 18 + tree(l.high, 0, 8);
  };

  const literal = probabilities(0x300 << (lc + lp));
  const isMatch = probabilities(12 << 4), isRep = probabilities(12), isRepG0 = probabilities(12), isRepG1 = probabilities(12), isRepG2 = probabilities(12), isRep0Long = probabilities(12 << 4);
  const slots = probabilities(4 << 6), distances = probabilities(128), align = probabilities(16);
  const matchLength = lengths(), repLength = lengths();
  let state = 0, rep0 = 0, rep1 = 0, rep2 = 0, rep3 = 0;

  const putLiteral = () => {
    const before = at > 0 ? out[at - 1] : 0;
    const from = 0x300 * (((at & ((1 << lp) - 1)) << lc) + (before >> (8 - lc)));
    let symbol = 1;
    if (state >= 7) {
      let match = out[at - rep0 - 1];
      while (symbol < 0x100) {
        const matchBit = match >> 7 & 1;
        match <<= 1;
        const b = bit(literal, from + ((1 + matchBit) << 8) + symbol);
        symbol = symbol << 1 | b;
        if (matchBit !== b) break;
      }
    }
    while (symbol < 0x100) symbol = symbol << 1 | bit(literal, from + symbol);
    out[at++] = symbol;
    state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
  };
  const distance = (len) => {
    const slot = tree(slots, Math.min(len - 2, 3) << 6, 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const base = ((2 | slot & 1) << bits) >>> 0;
    if (slot < 14) return base + reversed(distances, base - slot, bits);
    return (base + direct(bits - 4) * 16 + reversed(align, 0, 4)) >>> 0;
  };

  for (;;) {
    const position = at & ((1 << pb) - 1);
    if (!bit(isMatch, (state << 4) + position)) {
      if (at >= size) throw new Error('the program is longer than it says');
      putLiteral();
      continue;
    }
    let len;
    if (!bit(isRep, state)) {
      [rep3, rep2, rep1] = [rep2, rep1, rep0];
      len = length(matchLength, position);
      state = state < 7 ? 7 : 10;
      rep0 = distance(len);
      if (rep0 === 0xFFFFFFFF) break; // the end marker
    } else {
      if (!bit(isRepG0, state)) {
        if (!bit(isRep0Long, (state << 4) + position)) {
          if (at >= size || rep0 >= at) throw new Error('the program is damaged');
          state = state < 7 ? 9 : 11;
          out[at] = out[at - rep0 - 1];
          at++;
          continue;
        }
      } else {
        let d = rep1;
        if (bit(isRepG1, state)) {
          d = rep2;
          if (bit(isRepG2, state)) {
            d = rep3;
            rep3 = rep2;
          }
          rep2 = rep1;
        }
        rep1 = rep0;
        rep0 = d;
      }
      len = length(repLength, position);
      state = state < 7 ? 8 : 11;
    }
    if (rep0 >= at || len > size - at) throw new Error('the program is damaged');
    for (; len > 0; len--, at++) out[at] = out[at - rep0 - 1];
  }
  if (at !== size) throw new Error('the program is shorter than it says');
  return out;
}
