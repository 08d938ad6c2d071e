// Layers of networks, copies and element-wise products.
#pragma once
#include "operations.h"
#include "product.h"

// y = x w' + bias, or y += x w'.
CALLED void linear(const Linear& w, const Pass& pass) {
  const Left x = {pass.of(w.x, w.inputs), w.inputs, 1, nullptr, 0};
  const Right weight = {w.weight, 1, w.inputs};
  product(pass, pass.rows, w.outputs, w.inputs, x, weight, {pass.of(w.y, w.outputs), w.outputs, w.bias, w.accumulate != 0});
}

// gx = gy w, with `repeat` vectors per row.
CALLED void linearAdjoint(const LinearAdjoint& w, const Pass& pass) {
  const Left gy = {pass.of(w.gy, w.repeat * w.outputs), w.outputs, 1, nullptr, 0};
  const Right weight = {w.weight, w.inputs, 1};
  const Target gx = {pass.of(w.gx, w.repeat * w.inputs), w.inputs, nullptr, false};
  product(pass, pass.rows * w.repeat, w.inputs, w.outputs, gy, weight, gx);
}

// Gradients of w (gy' x) and of the bias (column sums of gy).
CALLED void linearWeights(const LinearWeights& w, const Pass& pass) {
  const float* gy = pass.of(w.gy, w.outputs);
  const int outputs = w.outputs;
  const bool accumulate = w.accumulate;
  const Right x = {pass.of(w.x, w.inputs), w.inputs, 1};
  const Target gradient = {pass.gradient + w.weightAt, w.inputs, nullptr, accumulate || !pass.first};
  product(pass, outputs, w.inputs, pass.rows, {gy, 1, w.outputs, nullptr, 0}, x, gradient);
  // The gradients of bias and weight may overlap.
  __syncthreads();
  EACH(j, outputs) {
    float sum = 0;
    for (int r = 0; r < pass.rows; r++) sum += gy[(i64)r * outputs + j];
    pass.addGradient(w.biasAt + j, sum, accumulate);
  }
}

INLINE float sigmoid(float z) { return 1 / (1 + expf(-z)); }
INLINE double sigmoid(double z) { return 1 / (1 + exp64(-z)); }

constexpr float SELU_ALPHA = 1.6732632423543772f;
constexpr float SELU_SCALE = 1.0507009873554805f;
constexpr float LEAKY_SLOPE = 0.01f;

// Distribution function and density of a standard normal number.
INLINE float normalCdf(float z) { return 0.5f * erfcf(-0.70710678f * z); }
INLINE float normalDensity(float z) { return 0.39894228f * expf(-0.5f * z * z); }

// f(z)
INLINE float activate(i64 kind, float z) {
  switch (kind) {
    case ACTIVATION_RELU:
      return z > 0 ? z : z != z ? z : 0;
    case ACTIVATION_TANH:
      return tanhf(z);
    case ACTIVATION_ELU:
      return z > 0 ? z : expm1f(z);
    case ACTIVATION_GELU:
      return z * normalCdf(z);
    case ACTIVATION_SILU:
      return z * sigmoid(z);
    case ACTIVATION_LEAKY_RELU:
      return z > 0 ? z : LEAKY_SLOPE * z;
    case ACTIVATION_SELU:
      return SELU_SCALE * (z > 0 ? z : SELU_ALPHA * expm1f(z));
    default:
      return sigmoid(z);
  }
}

// f'(z). At a kink, the derivative from the left.
INLINE float slopeOf(i64 kind, float z) {
  switch (kind) {
    case ACTIVATION_RELU:
      return z > 0 ? 1 : 0;
    case ACTIVATION_TANH: {
      const float y = tanhf(z);
      return (1 - y) * (1 + y);
    }
    case ACTIVATION_ELU:
      return z > 0 ? 1 : expf(z);
    case ACTIVATION_GELU:
      return normalCdf(z) + z * normalDensity(z);
    case ACTIVATION_SILU: {
      const float s = sigmoid(z);
      return s * (1 + z * (1 - s));
    }
    case ACTIVATION_LEAKY_RELU:
      return z > 0 ? 1 : LEAKY_SLOPE;
    case ACTIVATION_SELU:
      return SELU_SCALE * (z > 0 ? 1 : SELU_ALPHA * expf(z));
    default: {
      const float s = sigmoid(z);
      return s * (1 - s);
    }
  }
}

// y = f(z), and f'(z) if it is stored. y may be z.
CALLED void activation(const Activation& w, const Pass& pass) {
  const float* z = pass.of(w.z, w.width);
  float *y = pass.of(w.y, w.width), *derivative = pass.of(w.derivative, w.width);
  EACH(i, pass.rows * (int)w.width) {
    const float value = z[i];
    if (derivative) derivative[i] = slopeOf(w.kind, value);
    y[i] = activate(w.kind, value);
  }
}

// out = a b, with `repeat` vectors of a per row.
CALLED void multiply(const Multiply& w, const Pass& pass) {
  const int width = w.width, several = w.repeat * w.width;
  const float *a = pass.of(w.a, several), *b = pass.of(w.b, width);
  float* out = pass.of(w.out, several);
  EACH(i, pass.rows * several) out[i] = a[i] * b[(i / several) * width + i % width];
}

CALLED void copy(const Copy& w, const Pass& pass) {
  const float* x = pass.of(w.x, w.width);
  float* out = pass.of(w.out, w.width);
  EACH(i, pass.rows * (int)w.width) out[i] = x[i];
}

// out = columns of x.
CALLED void part(const Part& w, const Pass& pass) {
  const int count = w.count, width = w.before + w.count + w.after;
  const float* x = pass.of(w.x, width);
  float* out = pass.of(w.out, count);
  EACH(i, pass.rows * count) out[i] = x[(i / count) * width + w.before + i % count];
}

// Columns of out = x.
CALLED void place(const Place& w, const Pass& pass) {
  const int count = w.count, width = w.before + w.count + w.after;
  const float* x = pass.of(w.x, count);
  float* out = pass.of(w.out, width);
  EACH(i, pass.rows * count) out[(i / count) * width + w.before + i % count] = x[i];
}

// out[r] = source[index[r]], for elements of 1 or 4 bytes.
CALLED void gather(const Gather& w, const Pass& pass) {
  const int* index = pass.of(w.index, 1);
  const int width = w.width;
  const bool isWide = w.bytes == 4;
  const u32* source = (const u32*)w.source;
  u32* out = pass.of((u32*)w.out, width);
  unsigned char* narrow = pass.of((unsigned char*)w.out, width);
  EACH(i, pass.rows * width) {
    const i64 from = (i64)index[i / width] * width + i % width;
    if (isWide)
      out[i] = source[from];
    else
      narrow[i] = ((const unsigned char*)w.source)[from];
  }
}

CALLED void broadcast(const Broadcast& w, const Pass& pass) {
  const int width = w.width;
  float* out = pass.of(w.out, width);
  EACH(i, pass.rows * width) out[i] = w.vector[i % width];
}

// out[r, k] += vectors[r, k] . x[r]
CALLED void dotVectors(const DotVectors& w, const Pass& pass) {
  const int count = w.count, width = w.width;
  const float *vectors = pass.of(w.vectors, w.count * w.width), *x = pass.of(w.x, width);
  float* out = pass.of(w.out, count);
  for (int base = 0; base < pass.rows * count; base += BATCH) {
    const int rows = least(BATCH, pass.rows * count - base);
    sumColumns<1, float>(0, rows, width, [=](int r, int i, float* sums) {
      sums[0] += vectors[(i64)(base + r) * width + i] * x[(i64)((base + r) / count) * width + i];
    });
    EACH(r, rows) out[base + r] += (float)shared.totals[0][r];
  }
}

// out[r] = sum over k of coefficients[r, k] vectors[r, k]
CALLED void mixVectors(const MixVectors& w, const Pass& pass) {
  const int count = w.count, width = w.width;
  const float *vectors = pass.of(w.vectors, w.count * w.width), *coefficients = pass.of(w.coefficients, count);
  float* out = pass.of(w.out, width);
  EACH(i, pass.rows * width) {
    const int r = i / width, column = i % width;
    float sum = 0;
    for (int k = 0; k < count; k++) sum += coefficients[r * count + k] * vectors[((i64)r * count + k) * width + column];
    out[i] = sum;
  }
}
