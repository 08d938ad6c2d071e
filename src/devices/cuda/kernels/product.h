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

// store(row, column, sum over k of a(row, k) b(k, column)) for a matrix [m, n]. Where `aByDepth` or `bByDepth`, consecutive k
// lie beside each other in memory; else rows of a, or columns of b.
template <bool aByDepth, bool bByDepth, class A, class B, class Store>
INLINE void product(int m, int n, int depth, const A& a, const B& b, const Store& store) {
  for (int row0 = 0; row0 < m; row0 += TILE_ROWS)
    for (int column0 = 0; column0 < n; column0 += TILE_COLUMNS) {
      const int width = n - column0 <= 32 ? 32 : TILE_COLUMNS;
      float sums[UNITS][UNIT_ROWS][UNIT_COLUMNS] = {};
      for (int k0 = 0; k0 < depth; k0 += TILE_DEPTH) {
        EACH(e, TILE_ROWS * TILE_DEPTH) {
          const int k = aByDepth ? e % TILE_DEPTH : e / TILE_ROWS;
          const int r = aByDepth ? e / TILE_DEPTH : e % TILE_ROWS;
          shared.tiles.a[r][k] = row0 + r < m && k0 + k < depth ? a(row0 + r, k0 + k) : 0;
        }
        EACH(e, TILE_DEPTH * width) {
          const int k = bByDepth ? e % TILE_DEPTH : e / width;
          const int c = bByDepth ? e / TILE_DEPTH : e % width;
          shared.tiles.b[k][c] = column0 + c < n && k0 + k < depth ? b(k0 + k, column0 + c) : 0;
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
          for (int j = 0; j < UNIT_COLUMNS; j++)
            if (row + i < m && column + 32 * j < n) store(row + i, column + 32 * j, sums[u][i][j]);
      }
    }
}
