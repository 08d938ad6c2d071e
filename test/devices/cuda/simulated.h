// CUDA C++ on the CPU: the words that the kernels use, and threads of a block as fibers that switch at barriers. Blocks run
// one after another. Compiled with THREADS=1 a block has one thread and barriers do nothing.
#pragma once
#include <math.h>
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
// Hands the CPU to the next thread of the block.
void __syncthreads();
#endif
