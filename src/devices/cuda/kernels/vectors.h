// Operations on vectors. Arguments are the tensors in the order of `Device`, their length, then numbers.
#pragma once
#include "objective.h"

// Elements i of a vector that belong to this thread.
#define EACH_ELEMENT(i, n) \
  for (i64 i = (i64)blockIdx.x * THREADS + threadIdx.x; i < (n); i += (i64)gridDim.x * THREADS)

#define KERNEL extern "C" __global__ void __launch_bounds__(THREADS)

// y += alpha x
KERNEL axpy(Args args) {
  const float* x = args.f32(0);
  float* y = args.f32(1);
  EACH_ELEMENT(i, args.integer(2)) y[i] = y[i] + args.real(3) * x[i];
}

// y = x + beta y
KERNEL xpby(Args args) {
  const float* x = args.f32(0);
  float* y = args.f32(1);
  EACH_ELEMENT(i, args.integer(2)) y[i] = x[i] + args.real(3) * y[i];
}

KERNEL scale(Args args) {
  float* x = args.f32(0);
  EACH_ELEMENT(i, args.integer(1)) x[i] = args.real(2) * x[i];
}

KERNEL fill(Args args) {
  float* x = args.f32(0);
  EACH_ELEMENT(i, args.integer(1)) x[i] = args.real(2);
}

// y *= x
KERNEL multiplyVectors(Args args) {
  const float* x = args.f32(0);
  float* y = args.f32(1);
  EACH_ELEMENT(i, args.integer(2)) y[i] *= x[i];
}

// x *= exp(now - old) where weight is not 0, or everywhere if weight is null.
KERNEL multiplyByRatio(Args args) {
  float* x = args.f32(0);
  const float *now = args.f32(1), *old = args.f32(2), *weight = args.f32(3);
  EACH_ELEMENT(i, args.integer(4))
    if (!weight || weight[i] != 0) x[i] = x[i] * exp64((double)now[i] - old[i]);
}

// out[i] = x[index[i]]; *outside = 1 for an index outside x. Arguments: x, its length, index, out, its length, outside.
KERNEL pick(Args args) {
  const float* x = args.f32(0);
  const int* index = args.i32(2);
  EACH_ELEMENT(i, args.integer(4)) {
    if (index[i] < 0 || index[i] >= args.integer(1))
      *args.i32(5) = 1;
    else
      args.f32(3)[i] = x[index[i]];
  }
}

// x[i] = y[i] where weight[i] is 0
KERNEL replace(Args args) {
  float* x = args.f32(0);
  const float *y = args.f32(1), *weight = args.f32(2);
  EACH_ELEMENT(i, args.integer(3))
    if (weight[i] == 0) x[i] = y[i];
}

// out = (x - mean) / deviation
KERNEL normalise(Args args) {
  const float* x = args.f32(0);
  float* out = args.f32(1);
  EACH_ELEMENT(i, args.integer(2)) out[i] = (x[i] - args.real(3)) / args.real(4);
}

// out = x deviation + mean
KERNEL denormalise(Args args) {
  const float* x = args.f32(0);
  float* out = args.f32(1);
  EACH_ELEMENT(i, args.integer(2)) out[i] = x[i] * args.real(4) + args.real(3);
}

// Numbers: gradScale, beta1, beta2, eps, lr / (1 - beta1^t), sqrt(1 - beta2^t).
KERNEL adam(Args args) {
  float *theta = args.f32(0), *m = args.f32(2), *v = args.f32(3);
  const float* gradient = args.f32(1);
  const double beta1 = args.real(6), beta2 = args.real(7);
  EACH_ELEMENT(i, args.integer(4)) {
    const double g = args.real(5) * gradient[i];
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    theta[i] = theta[i] - args.real(9) * m[i] / (sqrt((double)v[i]) / args.real(10) + args.real(8));
  }
}

// Generalised advantages (Schulman et al. 2016, Eq. 16), with one thread per environment. Arguments: rewards, values, next
// values, ends, advantages, returns, steps, environments, gamma, lambda, effect of a time limit.
KERNEL gae(Args args) {
  const float *rewards = args.f32(0), *values = args.f32(1), *nextValues = args.f32(2);
  const unsigned char* ends = args.u8(3);
  const i64 steps = args.integer(6), envs = args.integer(7), truncation = args.integer(10);
  const double gamma = args.real(8), lambda = args.real(9);
  EACH_ELEMENT(e, envs) {
    double later = 0;
    for (i64 i = (steps - 1) * envs + e; i >= 0; i -= envs) {
      const int end = ends[i];
      const bool isTerminal = end == TERMINATED || (end == TRUNCATED && truncation == TRUNCATION_TERMINATE);
      const double delta = rewards[i] + gamma * (isTerminal ? 0 : nextValues[i]) - values[i];
      double advantage = delta + (end == 0 ? gamma * lambda * later : 0);
      if (end == TRUNCATED && truncation == TRUNCATION_HARL) advantage = 0;
      args.f32(4)[i] = advantage;
      args.f32(5)[i] = advantage + values[i];
      later = advantage;
    }
  }
}
