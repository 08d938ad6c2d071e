// Gated recurrent units. A chunk is `chunk` consecutive rows, the steps of one environment. All chunks of a pass advance
// together, step by step.
#pragma once
#include "layers.h"

// out = h' of every row, by torch's gates.
CALLED void gru(const Gru& w, const Pass& pass) {
  const int width = w.width, chunk = w.chunk, chunks = pass.rows / chunk;
  const i64 all = (w.below + 1 + w.above) * w.width, own = w.below * w.width;
  const float *x = pass.of(w.x, 3 * w.width), *starts = pass.of(w.starts, 1), *states = pass.of(w.states, all);
  float *before = pass.of(w.before, width), *linked = pass.of(w.linked, 1), *gates = pass.of(w.gates, 4 * w.width);
  float *out = pass.of(w.out, width), *next = pass.of(w.next, all);
  for (int t = 0; t < chunk; t++) {
    EACH(e, chunks * width) {
      const int row = e / width * chunk + t, i = e % width;
      const bool resets = starts && starts[row] != 0;
      before[row * width + i] = resets ? 0 : t > 0 ? out[(row - 1) * width + i] : states[row * all + own + i];
      if (i == 0) linked[row] = t > 0 && !resets ? 1 : 0;
    }
    __syncthreads();
    product(pass, chunks, 3 * width, width, {before + t * width, w.chunk * width, 1, nullptr, 0}, {w.weight, 1, width},
            {gates + t * 4 * width, w.chunk * 4 * width, w.bias, false});
    __syncthreads();
    EACH(e, chunks * width) {
      const int row = e / width * chunk + t, i = e % width;
      float* g = gates + (i64)row * 4 * width + i;
      const float* in = x + (i64)row * 3 * width + i;
      const float r = sigmoid(in[0] + g[0]), z = sigmoid(in[width] + g[width]), q = g[2 * width];
      const float n = tanhf(in[2 * width] + r * q);
      g[0] = r;
      g[width] = z;
      g[3 * width] = n;
      const float h = (1 - z) * n + z * before[row * width + i];
      out[row * width + i] = h;
      if (next) next[row * all + own + i] = h;
    }
    __syncthreads();
  }
}

// out = tangent of h'. The initial states of chunks are constant.
CALLED void gruTangent(const GruTangent& w, const Pass& pass) {
  const int width = w.width, chunk = w.chunk, chunks = pass.rows / chunk;
  const float *dx = pass.of(w.dx, 3 * w.width), *before = pass.of(w.before, width), *linked = pass.of(w.linked, 1);
  const float* gates = pass.of(w.gates, 4 * w.width);
  float *total = pass.of(w.product, 3 * w.width), *out = pass.of(w.out, width);
  for (int t = 0; t < chunk; t++) {
    if (t > 0)
      product(pass, chunks, 3 * width, width, {out + (t - 1) * width, w.chunk * width, 1, linked + t, chunk},
              {w.weight, 1, width}, {total + t * 3 * width, w.chunk * 3 * width, nullptr, true});
    __syncthreads();
    EACH(e, chunks * width) {
      const int row = e / width * chunk + t, i = e % width;
      const float* g = gates + (i64)row * 4 * width + i;
      const float *in = dx + (i64)row * 3 * width + i, *u = total + (i64)row * 3 * width + i;
      const float r = g[0], z = g[width], q = g[2 * width], n = g[3 * width];
      const float dh = linked[row] != 0 ? out[(row - 1) * width + i] : 0;
      const float dr = r * (1 - r) * (in[0] + u[0]), dz = z * (1 - z) * (in[width] + u[width]);
      const float dn = (1 - n) * (1 + n) * (in[2 * width] + dr * q + r * u[2 * width]);
      out[row * width + i] = (1 - z) * dn + dz * (before[row * width + i] - n) + z * dh;
    }
    __syncthreads();
  }
}

// Adjoint of gru, applied to g, which is overwritten.
CALLED void gruAdjoint(const GruAdjoint& w, const Pass& pass) {
  const int width = w.width, chunk = w.chunk, chunks = pass.rows / chunk;
  const float *before = pass.of(w.before, width), *linked = pass.of(w.linked, 1);
  const float* gates = pass.of(w.gates, 4 * w.width);
  float *gh = pass.of(w.g, width), *gx = pass.of(w.gx, 3 * w.width), *through = pass.of(w.product, 3 * w.width);
  for (int t = chunk - 1; t >= 0; t--) {
    EACH(e, chunks * width) {
      const int row = e / width * chunk + t, i = e % width;
      const float* g = gates + (i64)row * 4 * width + i;
      const float r = g[0], z = g[width], q = g[2 * width], n = g[3 * width], slope = gh[row * width + i];
      const float gn = slope * (1 - z) * (1 - n) * (1 + n);
      const float gz = slope * (before[row * width + i] - n) * z * (1 - z), gr = gn * q * r * (1 - r);
      float *to = gx + (i64)row * 3 * width + i, *back = through + (i64)row * 3 * width + i;
      to[0] = back[0] = gr;
      to[width] = back[width] = gz;
      to[2 * width] = gn;
      back[2 * width] = gn * r;
      if (linked[row] != 0) gh[(row - 1) * width + i] += slope * z;
    }
    __syncthreads();
    if (t == 0) break;
    product(pass, chunks, width, 3 * width, {through + t * 3 * width, w.chunk * 3 * width, 1, linked + t, chunk},
            {w.weight, width, 1}, {gh + (t - 1) * width, w.chunk * width, nullptr, true});
    __syncthreads();
  }
}
