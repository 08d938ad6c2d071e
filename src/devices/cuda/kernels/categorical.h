// Categorical distributions: `count` columns of a matrix of logits. -Infinity marks an unavailable choice. Arithmetic is
// f64. Without an available choice, results are 0.
#pragma once
#include "objective.h"
#include "random.h"

#define NONE (-INFINITY)

constexpr int UNAVAILABLE = -1;
constexpr int UNDEFINED = -2;

// Logits of a row.
struct Logits {
  const float* z;
  int count;
  // Largest logit. NONE without an available choice, NaN if a logit is NaN.
  double high;
  // Sum of exp(logit - high).
  double total;

  INLINE bool none() const { return high == NONE; }
  INLINE double weight(int k) const { return exp64((double)z[k] - high); }
  INLINE double p(int k) const { return weight(k) / total; }
};

CALLED Logits logitsAt(const float* z, int count) {
  Logits row = {z, count, NONE, 0};
  for (int k = 0; k < count; k++)
    if (z[k] > row.high || z[k] != z[k]) row.high = z[k] != z[k] || row.high != row.high ? NAN : z[k];
  if (!row.none())
    for (int k = 0; k < count; k++) row.total += row.weight(k);
  return row;
}

// Columns of the distribution in row r of a pass.
template <class W>
INLINE i64 columnsAt(const W& w, const Pass& pass, int r) {
  return (pass.from + r) * (w.before + w.count + w.after) + w.before;
}

template <class W>
INLINE Logits logitsOf(const W& w, const Pass& pass, int r) {
  return logitsAt(w.logits + columnsAt(w, pass, r), w.count);
}

template <class W>
INLINE float* actionOf(const W& w, const Pass& pass, int r) {
  return w.action + (pass.from + r) * (w.earlier + 1 + w.later) + w.earlier;
}

// Choice stored as f32, or UNAVAILABLE for an invalid number.
INLINE int choiceOf(float value, int count) { return value >= 0 && value < count ? (int)value : UNAVAILABLE; }

INLINE double logProbOf(const Logits& row, int choice) {
  if (row.none()) return 0;
  return choice < 0 ? NAN : row.z[choice] - row.high - log64(row.total);
}

INLINE void put(float* at, double value, bool accumulate) { *at = accumulate ? *at + value : value; }

INLINE void zero(float* at, int count) {
  for (int k = 0; k < count; k++) at[k] = 0;
}

// First of the most probable choices.
INLINE int likeliest(const Logits& row) {
  int best = UNAVAILABLE;
  double high = NONE;
  for (int k = 0; k < row.count; k++) {
    if (row.z[k] != row.z[k]) return UNDEFINED;
    if (row.z[k] > high) {
      high = row.z[k];
      best = k;
    }
  }
  return best;
}

// Choice at the quantile 0 < u < 1.
INLINE int choiceAt(const Logits& row, double u) {
  const int best = likeliest(row);
  if (best < 0) return best;
  double reached = 0;
  int choice = best;
  for (int k = 0; k < row.count; k++) {
    const double p = row.weight(k);
    if (p == 0) continue;
    choice = k;
    reached += p;
    if (reached > u * row.total) break;
  }
  return choice;
}

INLINE float entryOf(int choice) { return choice == UNDEFINED ? NAN : choice < 0 ? 0 : choice; }

CALLED void maskChoices(const MaskChoices& w, const Pass& pass) {
  float* logits = pass.of(w.logits, w.width);
  const unsigned char* available = pass.of(w.available, w.width);
  EACH(i, pass.rows * (int)w.width)
    if (available[i] == 0) logits[i] = NONE;
}

CALLED void categoricalLogProb(const CategoricalLogProb& w, const Pass& pass) {
  EACH(r, pass.rows)
    put(w.logProb + pass.from + r, logProbOf(logitsOf(w, pass, r), choiceOf(*actionOf(w, pass, r), w.count)),
        w.accumulate);
}

CALLED void categoricalLogProbAdjoint(const CategoricalLogProbAdjoint& w, const Pass& pass) {
  EACH(r, pass.rows) {
    const Logits row = logitsOf(w, pass, r);
    float* g = w.glogits + columnsAt(w, pass, r);
    const double slope = w.slope[pass.from + r];
    const int choice = choiceOf(*actionOf(w, pass, r), w.count);
    for (int k = 0; k < w.count; k++)
      g[k] = slope == 0 || row.none() ? 0 : slope * ((k == choice ? 1 : 0) - row.p(k));
  }
}

CALLED void categoricalSample(const CategoricalSample& w, const Pass& pass) {
  EACH(r, pass.rows) {
    const Logits row = logitsOf(w, pass, r);
    const int choice = choiceAt(row, uniform(noiseOf(w, pass.from + r), w.earlier));
    *actionOf(w, pass, r) = entryOf(choice);
    put(w.logProb + pass.from + r, logProbOf(row, choice < 0 ? 0 : choice), w.accumulate);
  }
}

CALLED void categoricalMode(const CategoricalMode& w, const Pass& pass) {
  EACH(r, pass.rows) *actionOf(w, pass, r) = entryOf(likeliest(logitsOf(w, pass, r)));
}

CALLED void categoricalKl(const CategoricalKl& w, const Pass& pass) {
  EACH(r, pass.rows) {
    const Logits row = logitsOf(w, pass, r), old = logitsAt(w.oldLogits + columnsAt(w, pass, r), w.count);
    double sum = 0;
    if (!old.none() && !row.none()) {
      const double shift = log64(row.total) - log64(old.total);
      for (int k = 0; k < w.count; k++) {
        const double p = old.p(k);
        if (p != 0) sum += p * (old.z[k] - old.high - (row.z[k] - row.high) + shift);
      }
    }
    put(w.kl + pass.from + r, sum, w.accumulate);
  }
}

// weight (diag(p) - p p') dlogits. glogits may be dlogits.
CALLED void categoricalFisher(const CategoricalFisher& w, const Pass& pass) {
  EACH(r, pass.rows) {
    const Logits row = logitsOf(w, pass, r);
    const double weight = w.weight[pass.from + r];
    const float* d = w.dlogits + columnsAt(w, pass, r);
    float* g = w.glogits + columnsAt(w, pass, r);
    if (weight == 0 || row.none()) {
      zero(g, w.count);
      continue;
    }
    double along = 0;
    for (int k = 0; k < w.count; k++) along += row.weight(k) * d[k];
    const double mean = along / row.total;
    for (int k = 0; k < w.count; k++) g[k] = weight * row.p(k) * (d[k] - mean);
  }
}

// sqrt(weight p_c) (e_c - p), and 0 in the columns of other distributions.
CALLED void categoricalFisherRoot(const CategoricalFisherRoot& w, const Pass& pass) {
  EACH(r, pass.rows) {
    const Logits row = logitsOf(w, pass, r);
    const double weight = w.weight[pass.from + r];
    float* g = w.glogits + columnsAt(w, pass, r);
    zero(g - w.before, w.before + w.count + w.after);
    if (weight == 0 || row.none() || w.column >= w.count) continue;
    const double root = sqrt(weight * row.p(w.column));
    for (int k = 0; k < w.count; k++) g[k] = root * ((k == w.column ? 1 : 0) - row.p(k));
  }
}

CALLED void categoricalEntropy(const CategoricalEntropy& w, const Pass& pass) {
  EACH(r, pass.rows) {
    const Logits row = logitsOf(w, pass, r);
    double entropy = 0;
    if (!row.none()) {
      const double scale = row.high + log64(row.total);
      for (int k = 0; k < w.count; k++) {
        const double p = row.p(k);
        if (p != 0) entropy -= p * (row.z[k] - scale);
      }
      const double slope = w.coefficient * w.weight[pass.from + r];
      float* g = w.glogits + columnsAt(w, pass, r);
      for (int k = 0; w.glogits && slope != 0 && k < w.count; k++) {
        const double p = row.p(k);
        if (p != 0) put(g + k, -slope * p * (row.z[k] - scale + entropy), true);
      }
    }
    put(w.entropy + pass.from + r, entropy, w.accumulate);
  }
}
