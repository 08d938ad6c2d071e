// Diagonal Gaussians. The deviation sigma = y sigmoid(s / x) is a parameter or an output of the network. Arithmetic is f64.
#pragma once
#include "layers.h"
#include "objective.h"
#include "random.h"

constexpr double HALF_LOG_TWO_PI = 0.9189385332046727;

// Row of a table.
struct Deviation {
  double sigma, logSigma, precision, slope;
};

INLINE Deviation deviation(double s, double x, double y) {
  const double squashed = sigmoid(s / x), sigma = squashed * y;
  return {sigma, log64(sigma), 1 / (sigma * sigma), (1 - squashed) / x};
}

// Deviations from the table shared by all rows.
struct OfTable {
  const Deviation* table;
  INLINE Deviation operator()(int j) const { return table[j]; }
};

// Deviations from a row of outputs, after the means.
struct OfOutputs {
  const float* outputs;
  int size;
  double x, y;
  INLINE Deviation operator()(int j) const { return deviation(outputs[size + j], x, y); }
};

template <class Deviations>
CALLED double logProbOf(const float* mean, const float* action, const Deviations& of, int size) {
  double sum = 0;
  for (int j = 0; j < size; j++) {
    const Deviation d = of(j);
    const double z = (double)action[j] - mean[j];
    sum -= 0.5 * z * z * d.precision + d.logSigma + HALF_LOG_TWO_PI;
  }
  return sum;
}

template <class Deviations>
CALLED double klOf(const float* oldMean, const Deviations& oldOf, const float* mean, const Deviations& of, int size) {
  double sum = 0;
  for (int j = 0; j < size; j++) {
    const Deviation old = oldOf(j), now = of(j);
    const double d = (double)oldMean[j] - mean[j];
    sum += now.logSigma - old.logSigma + 0.5 * (old.sigma * old.sigma + d * d) * now.precision - 0.5;
  }
  return sum;
}

template <class Deviations>
INLINE void drawAction(const float* mean, const Deviations& of, int size, const Noise& key, float* action) {
  for (int j = 0; j < size; j++) action[j] = mean[j] + of(j).sigma * normal(key, j);
}

// Deviation as a parameter.

CALLED void gaussianLogProb(const GaussianLogProb& w, const Pass& pass) {
  const int size = w.size;
  const float *mean = pass.of(w.mean, size), *action = pass.of(w.action, size);
  float* logProb = pass.of(w.logProb, 1);
  const OfTable of = {(const Deviation*)w.table};
  EACH(r, pass.rows) logProb[r] = logProbOf(mean + r * size, action + r * size, of, size);
}

CALLED void gaussianSample(const GaussianSample& w, const Pass& pass) {
  const int size = w.size;
  const float* mean = pass.of(w.mean, size);
  float *action = pass.of(w.action, size), *logProb = pass.of(w.logProb, 1);
  const OfTable of = {(const Deviation*)w.table};
  EACH(r, pass.rows) {
    drawAction(mean + r * size, of, size, noiseOf(w, pass.from + r), action + r * size);
    logProb[r] = logProbOf(mean + r * size, action + r * size, of, size);
  }
}

// d log pi / d mean = (a - mean) / sigma^2, d log pi / d log sigma = ((a - mean) / sigma)^2 - 1
CALLED void gaussianSurrogate(const GaussianSurrogate& w, const Pass& pass) {
  const int size = w.size;
  const float *mean = pass.of(w.mean, size), *action = pass.of(w.action, size), *weight = pass.of(w.weight, 1);
  const float *oldLogProb = pass.of(w.oldLogProb, 1), *factor = pass.of(w.factor, 1);
  float *gmean = pass.of(w.gmean, size), *logProb = pass.of(w.logProb, 1);
  const Deviation* table = (const Deviation*)w.table;
  sumRows<3>(pass, w.sums, [&](int r, double* sums) {
    // Rounded like the old one, so that the ratio is exactly 1 at the old parameters.
    const float now = logProbOf(mean + r * size, action + r * size, OfTable{table}, size);
    if (logProb) logProb[r] = now;
    const double g = surrogateOf(now, oldLogProb[r], factor[r], weight[r], w.clip, sums);
    if (!gmean) return;
    for (int j = 0; j < size; j++) {
      const double d = (double)action[r * size + j] - mean[r * size + j];
      gmean[r * size + j] = g == 0 ? 0 : g * d * table[j].precision;
    }
  });
  if (!gmean || w.glogStdAt < 0) return;
  __syncthreads();
  EACH(j, size) {
    const Deviation d = table[j];
    double sum = 0;
    // The slope of each row is computed again, because gmean has been rounded to f32.
    for (int r = 0; r < pass.rows; r++) {
      double ignored[3];
      const float now = logProbOf(mean + r * size, action + r * size, OfTable{table}, size);
      const double g = surrogateOf(now, oldLogProb[r], factor[r], weight[r], w.clip, ignored);
      const double z = (double)action[r * size + j] - mean[r * size + j];
      if (g != 0) sum += g * (z * z * d.precision - 1) * d.slope;
    }
    pass.addGradient(w.glogStdAt + j, sum, w.accumulate);
  }
}

CALLED void gaussianKl(const GaussianKl& w, const Pass& pass) {
  const int size = w.size;
  const float *oldMean = pass.of(w.oldMean, size), *mean = pass.of(w.mean, size), *weight = pass.of(w.weight, 1);
  const OfTable oldOf = {(const Deviation*)w.oldTable}, of = {(const Deviation*)w.table};
  sumRows<2>(pass, w.sums, [&](int r, double* sums) {
    if (weight[r] == 0) return;
    sums[0] = weight[r] * klOf(oldMean + r * size, oldOf, mean + r * size, of, size);
    sums[1] = weight[r];
  });
}

// 1 / sigma^2 for the mean, 2 (d log sigma / d log_std)^2 for log_std.
CALLED void gaussianFisher(const GaussianFisher& w, const Pass& pass) {
  const int size = w.size;
  const float *dmean = pass.of(w.dmean, size), *weight = pass.of(w.weight, 1);
  float* gmean = pass.of(w.gmean, size);
  const Deviation* table = (const Deviation*)w.table;
  EACH(i, pass.rows * size) gmean[i] = weight[i / size] * table[i % size].precision * dmean[i];
  EACH(j, size) {
    double sum = 0;
    for (int r = 0; r < pass.rows; r++) sum += weight[r];
    pass.addGradient(w.logStdAt + j, sum * 2 * table[j].slope * table[j].slope * w.dlogStd[j], w.accumulate);
  }
}

CALLED void gaussianFisherRoot(const GaussianFisherRoot& w, const Pass& pass) {
  const int size = w.size;
  const float* weight = pass.of(w.weight, 1);
  float* gmean = pass.of(w.gmean, size);
  const Deviation* table = (const Deviation*)w.table;
  EACH(i, pass.rows * size)
    gmean[i] = i % size == w.column ? sqrt(weight[i / size] * table[w.column].precision) : 0;
}

// Deviation as an output.

template <class W>
INLINE OfOutputs ofOutputs(const W& w, const float* outputs) {
  return {outputs, (int)w.size, w.x, w.y};
}

CALLED void rowGaussianLogProb(const RowGaussianLogProb& w, const Pass& pass) {
  const int size = w.size;
  const float *outputs = pass.of(w.outputs, 2 * w.size), *action = pass.of(w.action, size);
  float* logProb = pass.of(w.logProb, 1);
  EACH(r, pass.rows) {
    const float* row = outputs + r * 2 * size;
    logProb[r] = logProbOf(row, action + r * size, ofOutputs(w, row), size);
  }
}

CALLED void rowGaussianLogProbAdjoint(const RowGaussianLogProbAdjoint& w, const Pass& pass) {
  const int size = w.size;
  const float *outputs = pass.of(w.outputs, 2 * w.size), *action = pass.of(w.action, size), *slope = pass.of(w.slope, 1);
  float* goutputs = pass.of(w.goutputs, 2 * w.size);
  EACH(i, pass.rows * size) {
    const int r = i / size, j = i % size;
    const float* row = outputs + r * 2 * size;
    const Deviation d = ofOutputs(w, row)(j);
    const double g = slope[r], z = (double)action[i] - row[j];
    goutputs[r * 2 * size + j] = g == 0 ? 0 : g * z * d.precision;
    goutputs[r * 2 * size + size + j] = g == 0 ? 0 : g * (z * z * d.precision - 1) * d.slope;
  }
}

CALLED void rowGaussianSample(const RowGaussianSample& w, const Pass& pass) {
  const int size = w.size;
  const float* outputs = pass.of(w.outputs, 2 * w.size);
  float *action = pass.of(w.action, size), *logProb = pass.of(w.logProb, 1);
  EACH(r, pass.rows) {
    const float* row = outputs + r * 2 * size;
    drawAction(row, ofOutputs(w, row), size, noiseOf(w, pass.from + r), action + r * size);
    logProb[r] = logProbOf(row, action + r * size, ofOutputs(w, row), size);
  }
}

CALLED void rowGaussianKl(const RowGaussianKl& w, const Pass& pass) {
  const int size = w.size;
  const float *oldOutputs = pass.of(w.oldOutputs, 2 * w.size), *outputs = pass.of(w.outputs, 2 * w.size);
  float* kl = pass.of(w.kl, 1);
  EACH(r, pass.rows) {
    const float *old = oldOutputs + r * 2 * size, *row = outputs + r * 2 * size;
    kl[r] = klOf(old, ofOutputs(w, old), row, ofOutputs(w, row), size);
  }
}

// Entry i of the diagonal Fisher matrix of a row of outputs.
INLINE double rowFisher(const OfOutputs& of, int i) {
  if (i < of.size) return of(i).precision;
  const double slope = of(i - of.size).slope;
  return 2 * slope * slope;
}

CALLED void rowGaussianFisher(const RowGaussianFisher& w, const Pass& pass) {
  const int width = 2 * w.size;
  const float *outputs = pass.of(w.outputs, width), *doutputs = pass.of(w.doutputs, width), *weight = pass.of(w.weight, 1);
  float* goutputs = pass.of(w.goutputs, width);
  EACH(i, pass.rows * width) {
    const int r = i / width;
    goutputs[i] = weight[r] * rowFisher(ofOutputs(w, outputs + r * width), i % width) * doutputs[i];
  }
}

CALLED void rowGaussianFisherRoot(const RowGaussianFisherRoot& w, const Pass& pass) {
  const int width = 2 * w.size;
  const float *outputs = pass.of(w.outputs, width), *weight = pass.of(w.weight, 1);
  float* goutputs = pass.of(w.goutputs, width);
  EACH(i, pass.rows * width) {
    const int r = i / width;
    goutputs[i] =
        i % width == w.column ? sqrt(weight[r] * rowFisher(ofOutputs(w, outputs + r * width), w.column)) : 0;
  }
}

CALLED void rowGaussianEntropy(const RowGaussianEntropy& w, const Pass& pass) {
  const int size = w.size;
  const float *outputs = pass.of(w.outputs, 2 * w.size), *weight = pass.of(w.weight, 1);
  float *goutputs = pass.of(w.goutputs, 2 * w.size), *entropy = pass.of(w.entropy, 1);
  EACH(r, pass.rows) {
    const OfOutputs of = ofOutputs(w, outputs + r * 2 * size);
    double sum = 0;
    for (int j = 0; j < size; j++) {
      const Deviation d = of(j);
      sum += 0.5 + HALF_LOG_TWO_PI + d.logSigma;
      if (goutputs) goutputs[(2 * r + 1) * size + j] += w.coefficient * weight[r] * d.slope;
    }
    entropy[r] = sum;
  }
}
