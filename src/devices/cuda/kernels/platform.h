// Types and keywords of CUDA C++. A C++ compiler also compiles the sources for the CPU; the tests' header `simulated.h`
// then replaces the definitions of CUDA.
#pragma once

#ifdef __CUDACC__
#define INLINE __device__ __forceinline__
#define CALLED __device__ __noinline__
#else
#include "simulated.h"
#define INLINE inline
#define CALLED
#endif

typedef long long i64;
typedef unsigned int u32;
typedef unsigned long long u64;

// Threads of a block, a divisor of LANES. Results do not depend on it.
#ifndef THREADS
#define THREADS 256
#endif

// Number of units that the work of a block is divided into. Each unit belongs to one thread.
constexpr int LANES = 256;
constexpr int UNITS = LANES / THREADS;

// Elements i of a block's work that belong to this thread.
#define EACH(i, n) for (int i = threadIdx.x; i < (n); i += THREADS)

// Units of this thread.
#define EACH_UNIT(u, unit) \
  _Pragma("unroll") for (int u = 0, unit = threadIdx.x; u < UNITS; u++, unit += THREADS)

#ifdef __CUDACC__
// Nearest number with 11 significant bits, ties away from zero.
INLINE float roundToTf32(float x) {
  u32 bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return __uint_as_float(bits);
}

// Adds products of matrices [16, 8] and [8, 8] to sums, J for each warp. Lane 4 g + t of the warp holds
//   a[0 .. 3]  elements (g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4)
//   b[0 .. 1]  elements (t, g), (t + 4, g)
//   sums       elements (g, 2 t), (g, 2 t + 1), (g + 8, 2 t), (g + 8, 2 t + 1)
// (PTX ISA, mma.m16n8k8 with .tf32). All threads of the block take part.
template <int J, int N>
INLINE void multiplyFragments(const float (&a)[1][4], const float (&b)[1][J][2], float (&sums)[1][4][N]) {
#pragma unroll
  for (int j = 0; j < J; j++)
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums[0][0][j]), "+f"(sums[0][1][j]), "+f"(sums[0][2][j]), "+f"(sums[0][3][j])
        : "r"(__float_as_uint(a[0][0])), "r"(__float_as_uint(a[0][1])), "r"(__float_as_uint(a[0][2])),
          "r"(__float_as_uint(a[0][3])), "r"(__float_as_uint(b[0][j][0])), "r"(__float_as_uint(b[0][j][1])));
}
#endif
