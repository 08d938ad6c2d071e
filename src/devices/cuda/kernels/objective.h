// Objectives of policies and the loss of critics. Arithmetic is f64.
#pragma once
#include "operations.h"
#include "shared.h"

INLINE double clamp(double v, double low, double high) { return fmin(fmax(v, low), high); }

// Adds objective, weight and clipped weight of a row to the sums. Returns weight d objective / d log-probability.
INLINE double surrogateOf(double logProb, double oldLogProb, double factor, double weight, double clip, double* sums) {
  if (weight == 0) return 0;
  const double ratio = exp64(logProb - oldLogProb);
  double objective = ratio * factor, slope = objective;
  if (clip >= 0) {
    const double bounded = clamp(ratio, 1 - clip, 1 + clip);
    if (bounded != ratio) sums[2] += weight;
    if (bounded * factor < objective) {
      objective = bounded * factor;
      slope = 0;
    }
  }
  sums[0] += weight * objective;
  sums[1] += weight;
  return weight * slope;
}

CALLED void surrogate(const Surrogate& w, const Pass& pass) {
  const float *logProb = pass.of(w.logProb, 1), *oldLogProb = pass.of(w.oldLogProb, 1);
  const float *factor = pass.of(w.factor, 1), *weight = pass.of(w.weight, 1);
  float* slope = pass.of(w.slope, 1);
  sumRows<3>(pass, w.sums, [&](int r, double* sums) {
    const double g = surrogateOf(logProb[r], oldLogProb[r], factor[r], weight[r], w.clip, sums);
    if (slope) slope[r] = g;
  });
}

CALLED void weightedSum(const WeightedSum& w, const Pass& pass) {
  const float *x = pass.of(w.x, 1), *weight = pass.of(w.weight, 1);
  sumRows<2>(pass, w.sums, [&](int r, double* sums) {
    if (weight[r] == 0) return;
    sums[0] = (double)weight[r] * x[r];
    sums[1] = weight[r];
  });
}

INLINE double huber(double error, double delta) {
  const double size = fabs(error);
  return size <= delta ? 0.5 * error * error : delta * (size - 0.5 * delta);
}

// max(Huber(target - v), Huber(target - clipped)), where clipped = old + clamp(v - old, +-clip)
CALLED void valueLoss(const ValueLoss& w, const Pass& pass) {
  const float *value = pass.of(w.value, 1), *olds = pass.of(w.old, 1);
  const float *target = pass.of(w.target, 1), *weight = pass.of(w.weight, 1);
  float* gvalue = pass.of(w.gvalue, 1);
  const double delta = w.huberDelta, clip = w.clip;
  sumRows<2>(pass, w.sums, [&](int r, double* sums) {
    const double v = value[r], old = olds[r], error = target[r] - v;
    double loss = huber(error, delta), slope = -clamp(error, -delta, delta);
    if (clip >= 0) {
      const double clipped = huber(target[r] - old - clamp(v - old, -clip, clip), delta);
      if (clipped > loss) {
        loss = clipped;
        // Outside the range, the clipped value is constant.
        if (fabs(v - old) > clip) slope = 0;
      }
      if (clipped != clipped) loss = clipped;
    }
    sums[1] = weight[r];
    gvalue[r] = weight[r] == 0 ? 0 : weight[r] * slope;
    if (weight[r] != 0) sums[0] = weight[r] * loss;
  });
}
