// Types and words of CUDA C++. The sources are also compiled for the CPU by a C++ compiler, with the header
// `simulated.h` of the tests in the place of the compiler's own definitions.
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

// Threads of a block. No result depends on the number, which divides LANES.
#ifndef THREADS
#define THREADS 256
#endif

// Units that the work of a block is divided into, each of which belongs to one thread.
constexpr int LANES = 256;
constexpr int UNITS = LANES / THREADS;

// Elements i of a block's work that this thread takes.
#define EACH(i, n) for (int i = threadIdx.x; i < (n); i += THREADS)

// Units of this thread.
#define EACH_UNIT(u, unit) \
  _Pragma("unroll") for (int u = 0, unit = threadIdx.x; u < UNITS; u++, unit += THREADS)
