// Sums over vectors. Each block writes its partial sums; the host adds them in ascending order.
#pragma once
#include "vectors.h"

// Writes the block's sums over its elements to out[block, K]. add(i, sums) adds element i.
template <int K, class Add>
INLINE void sumElements(i64 n, double* out, const Add& add) {
  EACH_UNIT(u, unit) {
    double sums[K] = {};
    for (i64 i = (i64)blockIdx.x * LANES + unit; i < n; i += (i64)gridDim.x * LANES) add(i, sums);
    for (int k = 0; k < K; k++) shared.lanes[k][unit] = sums[k];
  }
  sumLanes<K>();
  EACH(k, K) out[(i64)blockIdx.x * K + k] = shared.scalar[k];
}

// Arguments: x, y, length, out.
KERNEL dot(Args args) {
  const float *x = args.f32(0), *y = args.f32(1);
  sumElements<1>(args.integer(2), args.f64(3), [=](i64 i, double* sums) { sums[0] += (double)x[i] * y[i]; });
}

// Arguments: x, length, out.
KERNEL sum(Args args) {
  const float* x = args.f32(0);
  sumElements<1>(args.integer(1), args.f64(2), [=](i64 i, double* sums) { sums[0] += x[i]; });
}

// Number of elements that are not finite.
KERNEL countNotFinite(Args args) {
  const float* x = args.f32(0);
  sumElements<1>(args.integer(1), args.f64(2), [=](i64 i, double* sums) { sums[0] += isfinite(x[i]) ? 0 : 1; });
}

// Number, sum and sum of squares of x - shift, or of x - minus - shift, over elements with nonzero weight. Arguments: x,
// weight, minus or null, length, out, shift.
KERNEL moments(Args args) {
  const float *x = args.f32(0), *weight = args.f32(1), *minus = args.f32(2);
  const double shift = args.real(5);
  sumElements<3>(args.integer(3), args.f64(4), [=](i64 i, double* sums) {
    if (weight[i] == 0) return;
    const double v = (minus ? (double)x[i] - minus[i] : x[i]) - shift;
    sums[0] += 1;
    sums[1] += v;
    sums[2] += v * v;
  });
}

// Minimum and maximum of x, or of x - minus, over the same elements, for each block. Arguments: x, weight, minus or null,
// length, out.
KERNEL extremes(Args args) {
  const float *x = args.f32(0), *weight = args.f32(1), *minus = args.f32(2);
  const i64 n = args.integer(3);
  EACH_UNIT(u, unit) {
    double low = INFINITY, high = -INFINITY;
    for (i64 i = (i64)blockIdx.x * LANES + unit; i < n; i += (i64)gridDim.x * LANES) {
      if (weight[i] == 0) continue;
      const double v = minus ? (double)x[i] - minus[i] : x[i];
      low = fmin(low, v);
      high = fmax(high, v);
    }
    shared.lanes[0][unit] = low;
    shared.lanes[1][unit] = high;
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  double low = INFINITY, high = -INFINITY;
  for (int i = 0; i < LANES; i++) {
    low = fmin(low, shared.lanes[0][i]);
    high = fmax(high, shared.lanes[1][i]);
  }
  args.f64(4)[2 * blockIdx.x] = low;
  args.f64(4)[2 * blockIdx.x + 1] = high;
}
