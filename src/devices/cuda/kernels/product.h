// Matrix product of a block, in f32 or TF32.
#pragma once
#include "shared.h"

// Sums of a unit in a tile.
constexpr int UNIT_ROWS = TILE_ROWS / (LANES / 32);
constexpr int UNIT_COLUMNS = TILE_COLUMNS / 32;
typedef float UnitSums[UNITS][UNIT_ROWS][UNIT_COLUMNS];

// f32: each element is one sum over ascending k. A group of 32 units computes four rows.
struct Plain {
  static INLINE float factor(float x) { return x; }

  // Positions in the tiles.
  static INLINE int left(int row, int k) { return row * (TILE_DEPTH + 1) + k; }
  static INLINE int right(int k, int column) { return k * (TILE_COLUMNS + 1) + column; }

  // Element of the tile that corresponds to sums[i][j] of a unit.
  static INLINE int row(int unit, int i) { return unit / 32 * UNIT_ROWS + i; }
  static INLINE int column(int unit, int, int j) { return unit % 32 + 32 * j; }

  // Sums [i][j] for j < J in a tile with the given number of rows, over a part of the depth.
  template <int J>
  static INLINE void multiply(int rows, int depth, UnitSums& sums) {
    EACH_UNIT(u, unit) {
      const int row0 = row(unit, 0), column0 = column(unit, 0, 0);
      if (row0 >= rows) continue;
      for (int k = 0; k < depth; k++) {
        float a[UNIT_ROWS], b[J];
#pragma unroll
        for (int i = 0; i < UNIT_ROWS; i++) a[i] = shared.tiles.a[left(row0 + i, k)];
#pragma unroll
        for (int j = 0; j < J; j++) b[j] = shared.tiles.b[right(k, column0 + 32 * j)];
#pragma unroll
        for (int i = 0; i < UNIT_ROWS; i++)
#pragma unroll
          for (int j = 0; j < J; j++) sums[u][i][j] = fmaf(a[i], b[j], sums[u][i][j]);
      }
    }
  }
};

// TF32 on tensor cores: factors are rounded to 11 bits, products are exact, and sums are f32, over ascending groups of eight k.
// A warp computes 16 rows and 8 J columns. A unit holds the elements that `multiplyFragments` assigns to it.
struct Tf32 {
  static INLINE float factor(float x) { return roundToTf32(x); }

  // Permuted to avoid bank conflicts in shared memory, when a tile is filled and when fragments are read.
  static INLINE int left(int row, int k) { return row * TILE_DEPTH + (k ^ ((row & 7) << 2 | row >> 3)); }
  static INLINE int right(int k, int column) { return k * TILE_COLUMNS + (column ^ ((k & 3) << 3 | k >> 2)); }

  static INLINE int row(int unit, int i) { return unit / 128 * 16 + unit % 32 / 4 + i / 2 * 8; }
  static INLINE int column(int unit, int i, int j) { return unit / 32 % 4 * 8 + unit % 4 * 2 + i % 2 + 32 * j; }

  template <int J>
  static INLINE void multiply(int, int depth, UnitSums& sums) {
    for (int k0 = 0; k0 < depth; k0 += 8) {
      float a[UNITS][4], b[UNITS][J][2];
      EACH_UNIT(u, unit) {
        const int row0 = unit / 128 * 16 + unit % 32 / 4, column0 = unit / 32 % 4 * 8 + unit % 32 / 4;
        const int k = k0 + unit % 4;
#pragma unroll
        for (int i = 0; i < 4; i++) a[u][i] = shared.tiles.a[left(row0 + i % 2 * 8, k + i / 2 * 4)];
#pragma unroll
        for (int j = 0; j < J; j++)
#pragma unroll
          for (int i = 0; i < 2; i++) b[u][j][i] = shared.tiles.b[right(k + i * 4, column0 + 32 * j)];
      }
      multiplyFragments(a, b, sums);
    }
  }
};

// Matrix with element (row, k) at[row * rowStride + k * depthStride], or 0 if the row's gate is 0.
struct Left {
  const float* at;
  i64 rowStride, depthStride;
  const float* gate;
  i64 gateStride;
};

// Matrix with element (k, column) at[k * depthStride + column * columnStride].
struct Right {
  const float* at;
  i64 depthStride, columnStride;
};

// Destination of the product plus an optional bias[column], or of its sum with the previous contents.
struct Target {
  float* at;
  i64 rowStride;
  const float* bias;
  bool accumulate;
};

// Product of matrices [m, depth] and [depth, n].
template <class Arithmetic>
CALLED void productIn(int m, int n, int depth, const Left& a, const Right& b, const Target& out) {
  // Adjacent threads read adjacent elements.
  const bool aByDepth = a.depthStride == 1, bByDepth = b.depthStride == 1;
  for (int row0 = 0; row0 < m; row0 += TILE_ROWS)
    for (int column0 = 0; column0 < n; column0 += TILE_COLUMNS) {
      const int width = n - column0 <= 32 ? 32 : TILE_COLUMNS;
      UnitSums sums = {};
      for (int k0 = 0; k0 < depth; k0 += TILE_DEPTH) {
        EACH(e, TILE_ROWS * TILE_DEPTH) {
          const int k = aByDepth ? e % TILE_DEPTH : e / TILE_ROWS;
          const int r = aByDepth ? e / TILE_DEPTH : e % TILE_ROWS;
          const bool isIn = row0 + r < m && k0 + k < depth && (!a.gate || a.gate[(row0 + r) * a.gateStride] != 0);
          const float x = isIn ? a.at[(row0 + r) * a.rowStride + (k0 + k) * a.depthStride] : 0;
          shared.tiles.a[Arithmetic::left(r, k)] = Arithmetic::factor(x);
        }
        EACH(e, TILE_DEPTH * width) {
          const int k = bByDepth ? e % TILE_DEPTH : e / width;
          const int c = bByDepth ? e / TILE_DEPTH : e % width;
          const bool isIn = column0 + c < n && k0 + k < depth;
          const float x = isIn ? b.at[(k0 + k) * b.depthStride + (column0 + c) * b.columnStride] : 0;
          shared.tiles.b[Arithmetic::right(k, c)] = Arithmetic::factor(x);
        }
        __syncthreads();
        const int part = least(TILE_DEPTH, depth - k0);
        if (width == 32)
          Arithmetic::template multiply<1>(m - row0, part, sums);
        else
          Arithmetic::template multiply<UNIT_COLUMNS>(m - row0, part, sums);
        __syncthreads();
      }
      EACH_UNIT(u, unit)
#pragma unroll
        for (int i = 0; i < UNIT_ROWS; i++)
#pragma unroll
          for (int j = 0; j < UNIT_COLUMNS; j++) {
            const int row = row0 + Arithmetic::row(unit, i), column = column0 + Arithmetic::column(unit, i, j);
            if (row >= m || column >= n) continue;
            float* at = out.at + row * out.rowStride + column;
            const float sum = sums[u][i][j];
            *at = out.accumulate ? *at + sum : out.bias ? sum + out.bias[column] : sum;
          }
    }
}

// Product in the arithmetic of the pass.
INLINE void product(const Pass& pass, int m, int n, int depth, const Left& a, const Right& b, const Target& out) {
  if (pass.tf32)
    productIn<Tf32>(m, n, depth, a, b, out);
  else
    productIn<Plain>(m, n, depth, a, b, out);
}
