// Matrix product of a block. Each element is one f32 sum over k, ascending from 0.
#pragma once
#include "shared.h"

// Rows and columns of a unit's part of a tile.
constexpr int UNIT_ROWS = TILE_ROWS / (LANES / 32);
constexpr int UNIT_COLUMNS = TILE_COLUMNS / 32;

// Columns col + 32 j for j < J of a tile with so many rows, over a part of the depth.
template <int J>
INLINE void multiplyTiles(int rows, int depth, float (&sums)[UNITS][UNIT_ROWS][UNIT_COLUMNS]) {
  EACH_UNIT(u, unit) {
    const int row = unit / 32 * UNIT_ROWS, column = unit % 32;
    if (row >= rows) continue;
    for (int k = 0; k < depth; k++) {
      float a[UNIT_ROWS], b[J];
#pragma unroll
      for (int i = 0; i < UNIT_ROWS; i++) a[i] = shared.tiles.a[row + i][k];
#pragma unroll
      for (int j = 0; j < J; j++) b[j] = shared.tiles.b[k][column + 32 * j];
#pragma unroll
      for (int i = 0; i < UNIT_ROWS; i++)
#pragma unroll
        for (int j = 0; j < J; j++) sums[u][i][j] = fmaf(a[i], b[j], sums[u][i][j]);
    }
  }
}

// Matrix whose element (row, k) is at[row * rowStride + k * depthStride], or 0 where the row's gate is 0.
struct Left {
  const float* at;
  i64 rowStride, depthStride;
  const float* gate;
  i64 gateStride;
};

// Matrix whose element (k, column) is at[k * depthStride + column * columnStride].
struct Right {
  const float* at;
  i64 depthStride, columnStride;
};

// Where the product goes, plus bias[column] where there is one; or what it is added to.
struct Target {
  float* at;
  i64 rowStride;
  const float* bias;
  bool accumulate;
};

// Product of matrices [m, depth] and [depth, n].
CALLED void product(int m, int n, int depth, const Left& a, const Right& b, const Target& out) {
  // Threads beside each other read what lies beside each other.
  const bool aByDepth = a.depthStride == 1, bByDepth = b.depthStride == 1;
  for (int row0 = 0; row0 < m; row0 += TILE_ROWS)
    for (int column0 = 0; column0 < n; column0 += TILE_COLUMNS) {
      const int width = n - column0 <= 32 ? 32 : TILE_COLUMNS;
      float sums[UNITS][UNIT_ROWS][UNIT_COLUMNS] = {};
      for (int k0 = 0; k0 < depth; k0 += TILE_DEPTH) {
        EACH(e, TILE_ROWS * TILE_DEPTH) {
          const int k = aByDepth ? e % TILE_DEPTH : e / TILE_ROWS;
          const int r = aByDepth ? e / TILE_DEPTH : e % TILE_ROWS;
          const bool isIn = row0 + r < m && k0 + k < depth && (!a.gate || a.gate[(row0 + r) * a.gateStride] != 0);
          shared.tiles.a[r][k] = isIn ? a.at[(row0 + r) * a.rowStride + (k0 + k) * a.depthStride] : 0;
        }
        EACH(e, TILE_DEPTH * width) {
          const int k = bByDepth ? e % TILE_DEPTH : e / width;
          const int c = bByDepth ? e / TILE_DEPTH : e % width;
          const bool isIn = column0 + c < n && k0 + k < depth;
          shared.tiles.b[k][c] = isIn ? b.at[(k0 + k) * b.depthStride + (column0 + c) * b.columnStride] : 0;
        }
        __syncthreads();
        const int part = least(TILE_DEPTH, depth - k0);
        if (width == 32)
          multiplyTiles<1>(m - row0, part, sums);
        else
          multiplyTiles<UNIT_COLUMNS>(m - row0, part, sums);
        __syncthreads();
      }
      EACH_UNIT(u, unit) {
        const int row = row0 + unit / 32 * UNIT_ROWS, column = column0 + unit % 32;
#pragma unroll
        for (int i = 0; i < UNIT_ROWS; i++)
#pragma unroll
          for (int j = 0; j < UNIT_COLUMNS; j++) {
            if (row + i >= m || column + 32 * j >= n) continue;
            float* at = out.at + (row + i) * out.rowStride + column + 32 * j;
            const float sum = sums[u][i][j];
            *at = out.accumulate ? *at + sum : out.bias ? sum + out.bias[column + 32 * j] : sum;
          }
      }
    }
}
