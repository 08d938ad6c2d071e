// LayerNorm (Ba, Kiros & Hinton 2016) and the input stage, with their derivatives.
#pragma once
#include "operations.h"
#include "shared.h"

constexpr double LAYER_NORM_EPSILON = 1e-5;

// out = gamma xhat + beta. out may be x.
CALLED void layerNorm(const LayerNorm& w, const Pass& pass) {
  const int width = w.width;
  const float* all = pass.of(w.x, width);
  float *out = pass.of(w.out, width), *xhat = pass.of(w.xhat, width), *rstd = pass.of(w.rstd, 1);
  for (int base = 0; base < pass.rows; base += BATCH) {
    const int rows = least(BATCH, pass.rows - base), at = base * width;
    const float* x = all + at;
    sumColumns<1, double>(0, rows, width, [=](int r, int i, double* sums) { sums[0] += x[r * width + i]; });
    sumColumns<1, double>(1, rows, width, [=](int r, int i, double* sums) {
      const double d = x[r * width + i] - shared.totals[0][r] / width;
      sums[0] += d * d;
    });
    EACH(i, rows * width) {
      const int r = i / width, column = i % width;
      const double root = 1 / sqrt(shared.totals[1][r] / width + LAYER_NORM_EPSILON);
      const float hat = (x[i] - shared.totals[0][r] / width) * root;
      if (xhat) xhat[at + i] = hat;
      if (rstd && column == 0) rstd[base + r] = root;
      out[at + i] = w.gamma[column] * hat + w.beta[column];
    }
  }
}

// Tangent of layerNorm. dx is null if the input has no tangent. out may be dx.
CALLED void layerNormTangent(const LayerNormTangent& w, const Pass& pass) {
  const int width = w.width;
  const float *allDx = pass.of(w.dx, width), *allXhat = pass.of(w.xhat, width), *rstd = pass.of(w.rstd, 1);
  float* out = pass.of(w.out, width);
  for (int base = 0; base < pass.rows; base += BATCH) {
    const int rows = least(BATCH, pass.rows - base), at = base * width;
    const float *dx = allDx ? allDx + at : nullptr, *xhat = allXhat + at;
    if (dx)
      sumColumns<2, float>(0, rows, width, [=](int r, int i, float* sums) {
        const float d = dx[r * width + i];
        sums[0] += d;
        sums[1] += d * xhat[r * width + i];
      });
    EACH(i, rows * width) {
      const int r = i / width, column = i % width;
      const float hat = xhat[i];
      float moved = 0;
      if (dx) {
        const float mean = (float)shared.totals[0][r] / width, along = (float)shared.totals[1][r] / width;
        moved = w.gamma[column] * rstd[base + r] * (dx[i] - mean - hat * along);
      }
      out[at + i] = moved + w.dgamma[column] * hat + w.dbeta[column];
    }
  }
}

// gx = rstd (u - mean(u) - xhat mean(u xhat)) with u = gamma g, for `repeat` vectors per row. gx may be g.
CALLED void layerNormAdjoint(const LayerNormAdjoint& w, const Pass& pass) {
  const int width = w.width, repeat = w.repeat;
  const float *all = pass.of(w.g, w.repeat * w.width), *xhat = pass.of(w.xhat, width), *rstd = pass.of(w.rstd, 1);
  const float* gamma = w.gamma;
  float* gx = pass.of(w.gx, w.repeat * w.width);
  for (int base = 0; base < pass.rows * repeat; base += BATCH) {
    const int rows = least(BATCH, pass.rows * repeat - base);
    const float* g = all + (i64)base * width;
    sumColumns<2, float>(0, rows, width, [=](int r, int i, float* sums) {
      const float u = gamma[i] * g[r * width + i];
      sums[0] += u;
      sums[1] += u * xhat[(base + r) / repeat * width + i];
    });
    EACH(i, rows * width) {
      const int r = i / width, column = i % width, row = (base + r) / repeat;
      const float mean = (float)shared.totals[0][r] / width, along = (float)shared.totals[1][r] / width;
      const float hat = xhat[row * width + column];
      gx[(i64)base * width + i] = rstd[row] * (gamma[column] * g[i] - mean - hat * along);
    }
  }
}

// Gradients of gamma and beta.
CALLED void layerNormWeights(const LayerNormWeights& w, const Pass& pass) {
  const int width = w.width;
  const float *g = pass.of(w.g, width), *xhat = pass.of(w.xhat, width);
  EACH(i, width) {
    float byGamma = 0, byBeta = 0;
    for (int r = 0; r < pass.rows; r++) {
      byGamma += g[r * width + i] * xhat[r * width + i];
      byBeta += g[r * width + i];
    }
    pass.addGradient(w.gammaAt + i, byGamma, w.accumulate);
    pass.addGradient(w.betaAt + i, byBeta, w.accumulate);
  }
}

// Element of raw ++ one-hot id.
struct InputRow {
  const float* raw;
  int size;
  int id;

  INLINE float operator[](int i) const { return i < size ? raw[i] : i - size == id ? 1 : 0; }
};

template <class W>
INLINE InputRow inputRow(const W& w, const Pass& pass, int r) {
  const i64 row = pass.from + r;
  return {w.raw + row * w.size, (int)w.size, w.ids ? w.ids[row] : (int)w.id};
}

// shared.totals[0] and [1] = sum and sum of squared deviations of rows base .. base + rows - 1.
template <class W>
INLINE void inputMoments(const W& w, const Pass& pass, int base, int rows, int width) {
  sumColumns<1, double>(0, rows, width,
                        [&](int r, int i, double* sums) { sums[0] += inputRow(w, pass, base + r)[i]; });
  sumColumns<1, double>(1, rows, width, [&](int r, int i, double* sums) {
    const double d = inputRow(w, pass, base + r)[i] - shared.totals[0][r] / width;
    sums[0] += d * d;
  });
}

INLINE double standardised(float value, int r, int width) {
  const double variance = shared.totals[1][r] / width;
  return variance > 0 ? (value - shared.totals[0][r] / width) / sqrt(variance) : 0;
}

// out = raw ++ one-hot id, optionally standardised. A standard deviation of 0 gives zeros.
CALLED void input(const Input& w, const Pass& pass) {
  const int width = w.size + w.idCount;
  float* out = pass.of(w.out, width);
  for (int base = 0; base < pass.rows; base += BATCH) {
    const int rows = least(BATCH, pass.rows - base);
    if (w.standardise) inputMoments(w, pass, base, rows, width);
    EACH(i, rows * width) {
      const int r = i / width;
      const float value = inputRow(w, pass, base + r)[i % width];
      out[base * width + i] = w.standardise ? standardised(value, r, width) : value;
    }
  }
}

// graw = adjoint of the input stage at raw: (g - mean(g) - y mean(g y)) / s.d.
CALLED void inputAdjoint(const InputAdjoint& w, const Pass& pass) {
  const int size = w.size, width = w.size + w.idCount;
  const float* g = pass.of(w.g, width);
  float* graw = pass.of(w.graw, size);
  for (int base = 0; base < pass.rows; base += BATCH) {
    const int rows = least(BATCH, pass.rows - base);
    if (w.standardise) {
      inputMoments(w, pass, base, rows, width);
      sumColumns<2, double>(2, rows, width, [&](int r, int i, double* sums) {
        const double value = g[(base + r) * width + i];
        sums[0] += value;
        sums[1] += value * standardised(inputRow(w, pass, base + r)[i], r, width);
      });
    }
    EACH(e, rows * size) {
      const int r = e / size, i = e % size;
      double value = g[(base + r) * width + i];
      if (w.standardise) {
        const double variance = shared.totals[1][r] / width;
        const double y = standardised(inputRow(w, pass, base + r)[i], r, width);
        value -= shared.totals[2][r] / width + y * shared.totals[3][r] / width;
        value = variance > 0 ? value / sqrt(variance) : 0;
      }
      graw[base * size + e] = value;
    }
  }
}
