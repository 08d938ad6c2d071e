// CUDA C++ on the CPU: the keywords that the kernels use, and the threads of a block as fibers that switch at barriers. Blocks
// run one after another. With THREADS=1, a block has one thread and barriers do nothing.
#pragma once
#include <math.h>
#include <string.h>
#include <algorithm>

#ifndef THREADS
#define THREADS 1
#endif

struct Index {
  unsigned x;
};

inline Index threadIdx, blockIdx, gridDim;

#define __global__
#define __shared__ static
#define __launch_bounds__(threads)

inline double sinpi(double x) { return sin(3.141592653589793 * x); }
inline double cospi(double x) { return cos(3.141592653589793 * x); }

#if THREADS == 1
inline void __syncthreads() {}
#else
// Yields to the next thread of the block.
void __syncthreads();
#endif

inline float truncateToTf32(float x, unsigned roundingBit) {
  unsigned bits;
  memcpy(&bits, &x, 4);
  const bool isFinite = (bits & 0x7f800000u) != 0x7f800000u;
  bits = ((isFinite ? bits + roundingBit : bits) & ~0x1fffu) | (x != x ? 0x400000u : 0u);
  memcpy(&x, &bits, 4);
  return x;
}

// cvt.rna.tf32.f32
inline float roundToTf32(float x) { return truncateToTf32(x, 0x1000u); }

// mma.sync.m16n8k8 of all warps, J each. Each unit stores its fragments, then loads the fragments of other units that its
// elements depend on, by the layout of the PTX ISA. A tensor core reads the upper 19 bits of a factor. Its order of summation is
// undocumented; here it is ascending.
template <int J, int N, int U>
void multiplyFragments(const float (&a)[U][4], const float (&b)[U][J][2], float (&sums)[U][4][N]) {
  static float left[U * THREADS][4], right[U * THREADS][J][2];
  for (int u = 0; u < U; u++) {
    const int unit = threadIdx.x + u * THREADS;
    for (int i = 0; i < 4; i++) left[unit][i] = truncateToTf32(a[u][i], 0);
    for (int j = 0; j < J; j++)
      for (int i = 0; i < 2; i++) right[unit][j][i] = truncateToTf32(b[u][j][i], 0);
  }
  __syncthreads();
  for (int u = 0; u < U; u++) {
    const int unit = threadIdx.x + u * THREADS, lane = unit % 32, warp = unit - lane;
    for (int j = 0; j < J; j++)
      for (int i = 0; i < 4; i++) {
        const int row = lane / 4 + (i < 2 ? 0 : 8), column = lane % 4 * 2 + i % 2;
        for (int k = 0; k < 8; k++)
          sums[u][i][j] = fmaf(left[warp + row % 8 * 4 + k % 4][row / 8 + k / 4 * 2],
                               right[warp + column * 4 + k % 4][j][k / 4], sums[u][i][j]);
      }
  }
  __syncthreads();
}
