// Steps on parameters and gradients, before and after the pass over the rows. Each is divided among the blocks of a launch.
#pragma once
#include "gaussian.h"

CALLED void gaussianTable(const GaussianTable& w) {
  if (blockIdx.x != 0) return;
  Deviation* table = (Deviation*)w.table;
  EACH(j, (int)w.size) table[j] = deviation(w.logStd[j], w.x, w.y);
}

// m = dw gamma + w dgamma (by columns), c = dw beta + w dbeta + dbias
CALLED void foldTangent(const FoldTangent& w) {
  const int inputs = w.inputs;
  for (i64 o = blockIdx.x; o < w.outputs; o += gridDim.x) {
    const float *weight = w.weight + o * inputs, *dweight = w.dweight + o * inputs;
    EACH_UNIT(u, unit) {
      double sum = 0;
      for (int i = unit; i < inputs; i += LANES) {
        w.m[o * inputs + i] = dweight[i] * w.gamma[i] + weight[i] * w.dgamma[i];
        sum += (double)dweight[i] * w.beta[i] + (double)weight[i] * w.dbeta[i];
      }
      shared.lanes[0][unit] = sum;
    }
    sumLanes<1>();
    if (threadIdx.x == 0) w.c[o] = shared.scalar[0] + w.dbias[o];
  }
}

// Adjoint of foldTangent, in place. Each block processes BATCH columns.
CALLED void unfoldGradient(const UnfoldGradient& w) {
  const int inputs = w.inputs, outputs = w.outputs;
  for (i64 first = (i64)blockIdx.x * BATCH; first < inputs; first += (i64)gridDim.x * BATCH) {
    EACH_UNIT(u, unit) {
      const i64 j = first + unit % BATCH;
      double byGamma = 0, byBeta = 0;
      if (j < inputs)
        for (int o = unit / BATCH; o < outputs; o += UNITS_PER_ROW) {
          const double weight = w.weight[(i64)o * inputs + j];
          byGamma += weight * w.gweight[(i64)o * inputs + j];
          byBeta += weight * w.gbias[o];
        }
      shared.lanes[0][unit] = byGamma;
      shared.lanes[1][unit] = byBeta;
    }
    __syncthreads();
    EACH(c, BATCH) {
      double byGamma = 0, byBeta = 0;
      for (int i = 0; i < UNITS_PER_ROW; i++) {
        byGamma += shared.lanes[0][i * BATCH + c];
        byBeta += shared.lanes[1][i * BATCH + c];
      }
      if (first + c >= inputs) continue;
      w.ggamma[first + c] = byGamma;
      w.gbeta[first + c] = byBeta;
    }
    for (int e = threadIdx.x; e < outputs * BATCH; e += THREADS) {
      const i64 o = e / BATCH, j = first + e % BATCH;
      if (j >= inputs) continue;
      float* g = w.gweight + o * inputs + j;
      *g = *g * w.gamma[j] + w.gbias[o] * w.beta[j];
    }
    __syncthreads();
  }
}
