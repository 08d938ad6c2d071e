// Programs: lists of steps. A step is a code, the number of its arguments, and the arguments. Code 0 ends a list.
#pragma once
#include "bounded.h"
#include "categorical.h"
#include "gaussian.h"
#include "layernorm.h"
#include "parameters.h"
#include "recurrent.h"

// In the block's first pass, sets entries of its gradient to 0.
INLINE void clearBlock(const ClearBlock& w, const Pass& pass) {
  if (!pass.first) return;
  EACH(i, (int)w.length) pass.gradient[w.offsetAt + i] = 0;
}

#include "dispatch.h"

// Whether the state of a solve disables a launch.
INLINE bool isClosed(const int* gate) { return gate && *gate == 0; }

// Runs all steps on blocks of rows. Arguments: steps, rows, rows per pass, passes per block, partial gradients and their
// stride, partial sums and their number, gate, whether matrix products round their factors to TF32.
extern "C" __global__ void __launch_bounds__(THREADS) runRows(Args args) {
  if (isClosed(args.i32(8))) return;
  const i64* steps = (const i64*)args.words[0].pointer;
  const i64 rows = args.integer(1), passRows = args.integer(2), passes = args.integer(3);
  Pass pass;
  pass.gradient = args.f32(4) + blockIdx.x * args.integer(5);
  pass.sums = args.f64(6) + blockIdx.x * args.integer(7);
  pass.tf32 = args.integer(9);
  for (i64 i = 0; i < passes; i++) {
    pass.from = (blockIdx.x * passes + i) * passRows;
    if (pass.from >= rows) break;
    pass.rows = least(passRows, rows - pass.from);
    pass.first = i == 0;
    for (const i64* step = steps; *step != 0; step += 2 + step[1]) {
      runStep(*step, step + 2, pass);
      __syncthreads();
    }
  }
}

// Steps on parameters. Arguments: steps, gate.
extern "C" __global__ void __launch_bounds__(THREADS) runTasks(Args args) {
  if (isClosed(args.i32(1))) return;
  for (const i64* step = (const i64*)args.words[0].pointer; *step != 0; step += 2 + step[1]) {
    runTask(*step, step + 2);
    __syncthreads();
  }
}

// gradient[i] = scale * (sum over the blocks, ascending). Arguments: gradient, length, partial gradients and their stride,
// blocks, scale, gate.
extern "C" __global__ void __launch_bounds__(THREADS) sumGradients(Args args) {
  if (isClosed(args.i32(6))) return;
  const i64 length = args.integer(1), stride = args.integer(3), blocks = args.integer(4);
  const float* partial = args.f32(2);
  for (i64 i = (i64)blockIdx.x * THREADS + threadIdx.x; i < length; i += (i64)gridDim.x * THREADS) {
    double sum = 0;
#pragma unroll 8
    for (i64 b = 0; b < blocks; b++) sum += partial[b * stride + i];
    args.f32(0)[i] = args.real(5) * sum;
  }
}
