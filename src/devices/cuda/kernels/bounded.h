// Deterministic actions in a box.
#pragma once
#include "objective.h"
#include "random.h"

// action = offset + scale tanh(z). action may be z.
CALLED void squash(const Squash& w, const Pass& pass) {
  const int size = w.size;
  const float* z = pass.of(w.z, size);
  float *action = pass.of(w.action, size), *derivative = pass.of(w.derivative, size);
  EACH(i, pass.rows * size) {
    const double y = tanh((double)z[i]), scale = w.scale[i % size];
    if (derivative) derivative[i] = scale * (1 - y) * (1 + y);
    action[i] = w.offset[i % size] + scale * y;
  }
}

// Uniform actions before step `warmup` of an environment, noisy ones afterwards. action may be mode.
CALLED void explore(const Explore& w, const Pass& pass) {
  const int size = w.size;
  const float* mode = pass.of(w.mode, size);
  float* action = pass.of(w.action, size);
  EACH(i, pass.rows * size) {
    const int j = i % size;
    const Noise key = noiseOf(w, pass.from + i / size);
    const double low = w.low[j], high = w.high[j];
    if (w.steps[pass.from + i / size] < w.warmup)
      action[i] = low + (high - low) * uniform(key, j);
    else
      action[i] = clamp(mode[i] + w.noise * (high - low) * normal(key, j) / 2, low, high);
  }
}
