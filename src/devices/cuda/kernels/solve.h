// Conjugate gradients (Hestenes & Stiefel 1952) without the host. Vectors are f32, scalar products f64. Each iteration has a
// record, written once. A kernel never reads a record that it writes.
#pragma once
#include "statistics.h"

struct Iteration {
  // r'r and r'M r before the iteration.
  double squared, slope;
  // Whether the iteration is executed.
  int isOpen, unused;
};

// State of a solve: partial sums of scalar products, for up to SOLVE_BLOCKS blocks each, then the records.
struct Solve {
  // r'r, r'M r and d'(F + c I) d
  double squares[SOLVE_BLOCKS], slopes[SOLVE_BLOCKS], curvatures[SOLVE_BLOCKS];
  // x'(b - r) of each block.
  double gains[SOLVE_BLOCKS];
  Iteration iterations[1];
};

// Sum of the blocks' partial sums, in all threads.
INLINE double sumBlocks(const double* partial) {
  __syncthreads();
  if (threadIdx.x == 0) {
    double sum = 0;
    for (int b = 0; b < (int)gridDim.x; b++) sum += partial[b];
    shared.scalar[0] = sum;
  }
  __syncthreads();
  return shared.scalar[0];
}

// x = 0, residual = direction = b. Arguments: state, length, b, x, residual, direction.
KERNEL solveStart(Args args) {
  Solve* state = (Solve*)args.words[0].pointer;
  const float* b = args.f32(2);
  float *x = args.f32(3), *residual = args.f32(4), *direction = args.f32(5);
  sumElements<1>(args.integer(1), state->squares, [=](i64 i, double* sums) {
    x[i] = 0;
    residual[i] = direction[i] = b[i];
    sums[0] += (double)b[i] * b[i];
  });
}

// r'M r, with M r in a vector of its own. Arguments: state, length, residual, image.
KERNEL solveSlope(Args args) {
  Solve* state = (Solve*)args.words[0].pointer;
  const float *residual = args.f32(2), *image = args.f32(3);
  sumElements<1>(args.integer(1), state->slopes,
                 [=](i64 i, double* sums) { sums[0] += (double)residual[i] * image[i]; });
}

// Decides whether an iteration is executed, and computes its direction. Arguments: state, length, index, tolerance, image or
// residual, direction, whether there is a preconditioner.
KERNEL solveDirection(Args args) {
  Solve* state = (Solve*)args.words[0].pointer;
  const i64 index = args.integer(2);
  const Iteration* earlier = state->iterations + index - 1;
  const double squared = sumBlocks(state->squares);
  const double slope = args.integer(6) ? sumBlocks(state->slopes) : squared;
  const bool isRunning = index == 0 || (earlier->isOpen && !(squared < args.real(3)));
  const bool isOpen = isRunning && slope > 0;
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    Iteration* own = state->iterations + index;
    own->squared = squared;
    own->slope = slope;
    own->isOpen = isOpen;
  }
  if (!isOpen) return;
  const float* steepest = args.f32(4);
  float* direction = args.f32(5);
  if (index > 0) {
    const double beta = slope / earlier->slope;
    EACH_ELEMENT(i, args.integer(1)) direction[i] = steepest[i] + beta * direction[i];
  } else {
    EACH_ELEMENT(i, args.integer(1)) direction[i] = steepest[i];
  }
}

// product += damping direction, and d'(F + c I) d. Arguments: state, length, index, damping, direction, product.
KERNEL solveCurvature(Args args) {
  Solve* state = (Solve*)args.words[0].pointer;
  if (!state->iterations[args.integer(2)].isOpen) return;
  const float* direction = args.f32(4);
  float* product = args.f32(5);
  const double damping = args.real(3);
  sumElements<1>(args.integer(1), state->curvatures, [=](i64 i, double* sums) {
    product[i] = product[i] + damping * direction[i];
    sums[0] += (double)direction[i] * product[i];
  });
}

// x += alpha d, r -= alpha (F + c I) d, and r'r. Arguments: state, length, index, direction, product, x, residual.
KERNEL solveAdvance(Args args) {
  Solve* state = (Solve*)args.words[0].pointer;
  const Iteration* iteration = state->iterations + args.integer(2);
  if (!iteration->isOpen) return;
  const double alpha = iteration->slope / sumBlocks(state->curvatures);
  const float *direction = args.f32(3), *product = args.f32(4);
  float *x = args.f32(5), *residual = args.f32(6);
  sumElements<1>(args.integer(1), state->squares, [=](i64 i, double* sums) {
    x[i] = x[i] + alpha * direction[i];
    const float r = residual[i] - alpha * product[i];
    residual[i] = r;
    sums[0] += (double)r * r;
  });
}

// x'(b - r). Arguments: state, length, b, x, residual.
KERNEL solveGain(Args args) {
  Solve* state = (Solve*)args.words[0].pointer;
  const float *b = args.f32(2), *x = args.f32(3), *residual = args.f32(4);
  sumElements<1>(args.integer(1), state->gains,
                 [=](i64 i, double* sums) { sums[0] += x[i] * ((double)b[i] - residual[i]); });
}
