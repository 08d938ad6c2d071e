// Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011) and random numbers derived from it.
#pragma once
#include "shared.h"

// Key of a row's random numbers.
struct Noise {
  u32 seedLow, seedHigh, purpose, stream, step;
};

template <class W>
INLINE Noise noiseOf(const W& w, i64 row) {
  return {(u32)w.seedLow, (u32)w.seedHigh, (u32)w.purpose, (u32)w.streams[row], (u32)w.steps[row]};
}

struct Block {
  u32 words[4];
};

INLINE Block philox(const Noise& key, u32 index) {
  u32 c0 = index, c1 = key.step, c2 = key.stream, c3 = key.purpose, k0 = key.seedLow, k1 = key.seedHigh;
  for (int round = 0; round < 10; round++) {
    const u64 a = (u64)c0 * 0xd2511f53u, b = (u64)c2 * 0xcd9e8d57u;
    c0 = (u32)(b >> 32) ^ c1 ^ k0;
    c1 = (u32)b;
    c2 = (u32)(a >> 32) ^ c3 ^ k1;
    c3 = (u32)a;
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  return {{c0, c1, c2, c3}};
}

// Number in (0, 1) with 52 bits.
INLINE double unit(u32 low, u32 high) {
  return ((double)((u64)(high >> 12) << 32 | low) + 0.5) * 2.220446049250313e-16;
}

CALLED double uniform(const Noise& key, u32 index) {
  const Block block = philox(key, index / 2);
  return index % 2 ? unit(block.words[2], block.words[3]) : unit(block.words[0], block.words[1]);
}

// Cosine (even index) or sine (odd index) of a Box-Muller pair.
CALLED double normal(const Noise& key, u32 index) {
  const Block block = philox(key, index / 2);
  const double radius = sqrt(-2 * log64(unit(block.words[0], block.words[1])));
  const double turns = 2 * unit(block.words[2], block.words[3]);
  return radius * (index % 2 ? sinpi(turns) : cospi(turns));
}
