// Arguments of kernels, shared memory of a block, and sums in a fixed order.
#pragma once
#include "platform.h"

union Word {
  void* pointer;
  i64 integer;
  double real;
};

// Arguments of every kernel.
struct Args {
  Word words[16];

  INLINE float* f32(int i) const { return (float*)words[i].pointer; }
  INLINE double* f64(int i) const { return (double*)words[i].pointer; }
  INLINE int* i32(int i) const { return (int*)words[i].pointer; }
  INLINE unsigned char* u8(int i) const { return (unsigned char*)words[i].pointer; }
  INLINE i64 integer(int i) const { return words[i].integer; }
  INLINE double real(int i) const { return words[i].real; }
};

// Tiles of a matrix product.
constexpr int TILE_ROWS = 32;
constexpr int TILE_COLUMNS = 128;
constexpr int TILE_DEPTH = 32;

struct Tiles {
  float a[TILE_ROWS * (TILE_DEPTH + 1)];
  float b[TILE_DEPTH * (TILE_COLUMNS + 1)];
};

// Maximum number of simultaneous sums.
constexpr int SUMS = 4;
// Number of rows whose columns are summed at once, with the same number of units for each.
constexpr int BATCH = 32;
constexpr int UNITS_PER_ROW = LANES / BATCH;

struct Shared {
  union {
    Tiles tiles;
    double lanes[SUMS][LANES];
  };
  // Sums over the columns of each row of a batch.
  double totals[SUMS][BATCH];
  double scalar[SUMS];
};

__shared__ Shared shared;

// Not inlined: inlining every use would double the size of the kernels.
CALLED double exp64(double x) { return exp(x); }
CALLED double log64(double x) { return log(x); }

INLINE int least(int a, int b) { return a < b ? a : b; }
INLINE i64 least(i64 a, i64 b) { return a < b ? a : b; }

// shared.scalar[k] = sum of shared.lanes[k], in a binary tree.
template <int K>
INLINE void sumLanes() {
  __syncthreads();
  for (int half = LANES / 2; half > 0; half /= 2) {
    EACH(i, half)
      for (int k = 0; k < K; k++) shared.lanes[k][i] += shared.lanes[k][i + half];
    __syncthreads();
  }
  if (threadIdx.x == 0)
    for (int k = 0; k < K; k++) shared.scalar[k] = shared.lanes[k][0];
  __syncthreads();
}

// shared.totals[slot + k][r] = sum over columns i < width of what add(r, i, sums) adds to sums[k], for rows r < rows <= BATCH.
template <int K, class Real, class Add>
INLINE void sumColumns(int slot, int rows, int width, const Add& add) {
  EACH_UNIT(u, unit) {
    const int r = unit / UNITS_PER_ROW;
    Real sums[K] = {};
    if (r < rows)
      for (int i = unit % UNITS_PER_ROW; i < width; i += UNITS_PER_ROW) add(r, i, sums);
    for (int k = 0; k < K; k++) shared.lanes[k][unit] = sums[k];
  }
  __syncthreads();
  EACH(e, K * rows) {
    const int k = e / rows, r = e % rows;
    Real total = 0;
    for (int i = 0; i < UNITS_PER_ROW; i++) total += (Real)shared.lanes[k][r * UNITS_PER_ROW + i];
    shared.totals[slot + k][r] = total;
  }
  __syncthreads();
}

// Rows of a running program that a block processes together.
struct Pass {
  i64 from;
  int rows;
  // The block's gradients and named sums. The first pass stores them, later passes add to them.
  float* gradient;
  double* sums;
  bool first;
  // Whether matrix products round their factors to TF32.
  bool tf32;

  template <class T>
  INLINE T* of(T* matrix, i64 width) const {
    return matrix ? matrix + from * width : matrix;
  }

  // Adds a value to an entry of the gradient, or stores the first value.
  INLINE void addGradient(i64 entry, float value, bool accumulate) const {
    gradient[entry] = accumulate || !first ? gradient[entry] + value : value;
  }
};

// Adds to K sums, from `index` on, the sums over ascending rows of the numbers that value(r, sums) writes for row r.
template <int K, class Value>
INLINE void sumRows(const Pass& pass, i64 index, const Value& value) {
  double total = 0;
  for (int base = 0; base < pass.rows; base += LANES) {
    const int count = least(LANES, pass.rows - base);
    EACH(i, count) {
      double sums[K] = {};
      value(base + i, sums);
      for (int k = 0; k < K; k++) shared.lanes[k][i] = sums[k];
    }
    __syncthreads();
    // With fewer than K threads, a thread handles several sums in turn.
    EACH(k, K) {
      double part = base == 0 ? 0 : shared.scalar[k];
      for (int i = 0; i < count; i++) part += shared.lanes[k][i];
      shared.scalar[k] = part;
    }
    __syncthreads();
  }
  EACH(k, K) {
    total = shared.scalar[k];
    pass.sums[index + k] = pass.first ? total : pass.sums[index + k] + total;
  }
}
