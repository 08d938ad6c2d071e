/** Steps of the heads of policies on one row. */
import type { HeadStep } from '../head-steps.js'
import type { Operand, Tensor } from '../tensor.js'
import * as categorical from './categorical.js'
import * as gaussian from './gaussian.js'
import { typed } from './memory.js'
import { normal, uniform } from './random.js'
import { integer, vector, type Row, type RowSteps } from './row.js'

export const HEAD_STEPS: RowSteps<HeadStep> = {
  // Diagonal Gaussian with a state-independent deviation.

  gaussianLogProb({ mean, action, table, size, logProb }, row) {
    const sigma = column(table, size, 'sigma')
    row.of(logProb, 1)[0] = gaussian.logProb(row.of(action, size), row.of(mean, size), sigma)
  },

  gaussianSample({ mean, table, size, seed, purpose, streams, steps, action, logProb }, row) {
    const [mu, sigma] = [row.of(mean, size), column(table, size, 'sigma')]
    const key = { seed, purpose, stream: integer(streams, row), step: integer(steps, row) }
    const drawn = row.of(action, size)
    drawn.set(Array.from(mu, (v, j) => v + sigma[j] * normal(key, j)))
    row.of(logProb, 1)[0] = gaussian.logProb(drawn, mu, sigma)
  },

  gaussianSurrogate(step, row) {
    const { mean, table, size, action, oldLogProb, factor, weight, clip, gradient, logProb, sums } = step
    const [mu, a, sigma] = [row.of(mean, size), row.of(action, size), column(table, size, 'sigma')]
    // Rounded like the old one, so that the ratio is exactly 1 at the old parameters.
    const newLogProb = Math.fround(gaussian.logProb(a, mu, sigma))
    if (logProb) row.of(logProb, 1)[0] = newLogProb
    const w = row.of(weight, 1)[0]
    if (w === 0) {
      if (gradient) row.of(gradient.mean, size).fill(0)
      return
    }
    const [ratio, m] = [Math.exp(newLogProb - row.of(oldLogProb, 1)[0]), row.of(factor, 1)[0]]
    row.addSum(sums[0], w * gaussian.surrogate(ratio, m, clip))
    row.addSum(sums[1], w)
    row.addSum(sums[2], gaussian.isClipped(ratio, clip) ? w : 0)
    if (!gradient) return
    const g = w * gaussian.surrogateSlope(ratio, m, clip)
    const slope = column(table, size, 'slope')
    const byLogSigma = gaussian.logProbByLogSigma(a, mu, sigma)
    row.of(gradient.mean, size).set(gaussian.logProbByMean(a, mu, sigma).map((v) => g * v))
    row.addGradient(
      gradient.logStd,
      byLogSigma.map((v, j) => g * v * slope[j]),
    )
  },

  gaussianKl({ oldMean, oldTable, mean, table, size, weight, sums }, row) {
    const w = row.of(weight, 1)[0]
    if (w === 0) return
    const [oldSigma, sigma] = [column(oldTable, size, 'sigma'), column(table, size, 'sigma')]
    row.addSum(sums[0], w * gaussian.gaussianKl(row.of(oldMean, size), oldSigma, row.of(mean, size), sigma))
    row.addSum(sums[1], w)
  },

  /** 1 / sigma^2 for the mean, 2 (d log sigma / d log_std)^2 for log_std. */
  gaussianFisher({ dmean, dlogStd, table, size, weight, gmean, logStd }, row) {
    const w = row.of(weight, 1)[0]
    const [precision, slope] = [column(table, size, 'precision'), column(table, size, 'slope')]
    const dlog = vector(dlogStd, size)
    row.of(gmean, size).set(Array.from(row.of(dmean, size), (v, j) => w * precision[j] * v))
    row.addGradient(
      logStd,
      slope.map((v, j) => w * 2 * v * v * dlog[j]),
    )
  },

  gaussianFisherRoot({ table, size, column: k, weight, gmean }, row) {
    const precision = column(table, size, 'precision')
    const root = row.of(gmean, size).fill(0)
    root[k] = Math.sqrt(row.of(weight, 1)[0] * precision[k])
  },

  // Diagonal Gaussian with a state-dependent deviation.

  rowGaussianLogProb({ action, logProb, ...outputs }, row) {
    const { mean, sigma } = rowGaussian(outputs, row)
    row.of(logProb, 1)[0] = gaussian.logProb(row.of(action, outputs.size), mean, sigma)
  },

  rowGaussianLogProbAdjoint({ action, slope, goutputs, ...outputs }, row) {
    const { mean, sigma, slopes } = rowGaussian(outputs, row)
    const [a, g] = [row.of(action, outputs.size), row.of(slope, 1)[0]]
    const byMean = gaussian.logProbByMean(a, mean, sigma)
    const byOutput = gaussian.logProbByLogSigma(a, mean, sigma).map((v, j) => v * slopes[j])
    row.of(goutputs, 2 * outputs.size).set([...byMean, ...byOutput].map((v) => (g === 0 ? 0 : g * v)))
  },

  rowGaussianSample({ seed, purpose, streams, steps, action, logProb, ...outputs }, row) {
    const { mean, sigma } = rowGaussian(outputs, row)
    const key = { seed, purpose, stream: integer(streams, row), step: integer(steps, row) }
    const drawn = row.of(action, outputs.size)
    drawn.set(Array.from(mean, (v, j) => v + sigma[j] * normal(key, j)))
    row.of(logProb, 1)[0] = gaussian.logProb(drawn, mean, sigma)
  },

  rowGaussianKl({ oldOutputs, kl, ...outputs }, row) {
    const old = rowGaussian({ ...outputs, outputs: oldOutputs }, row)
    const { mean, sigma } = rowGaussian(outputs, row)
    row.of(kl, 1)[0] = gaussian.gaussianKl(old.mean, old.sigma, mean, sigma)
  },

  rowGaussianFisher({ doutputs, weight, goutputs, ...outputs }, row) {
    const d = Array.from(row.of(doutputs, 2 * outputs.size))
    const fisher = rowGaussianFisher(outputs, row)
    row.of(goutputs, 2 * outputs.size).set(fisher.map((f, i) => row.of(weight, 1)[0] * f * d[i]))
  },

  rowGaussianFisherRoot({ column: k, weight, goutputs, ...outputs }, row) {
    const root = row.of(goutputs, 2 * outputs.size).fill(0)
    root[k] = Math.sqrt(row.of(weight, 1)[0] * rowGaussianFisher(outputs, row)[k])
  },

  rowGaussianEntropy({ weight, coefficient, entropy, goutputs, ...outputs }, row) {
    const { sigma, slopes } = rowGaussian(outputs, row)
    row.of(entropy, 1)[0] = gaussian.entropy(sigma)
    if (!goutputs) return
    const [g, w] = [row.of(goutputs, 2 * outputs.size), row.of(weight, 1)[0]]
    slopes.forEach((slope, j) => (g[outputs.size + j] += coefficient * w * slope))
  },

  // Categorical distributions.

  maskChoices({ logits, available, width }, row) {
    const z = row.of(logits, width)
    const mask = typed(available, 'u8').subarray(row.index * width, (row.index + 1) * width)
    z.forEach((_, k) => mask[k] === 0 && (z[k] = -Infinity))
  },

  categoricalLogProb({ logProb, accumulate, ...step }, row) {
    add(
      row.of(logProb, 1),
      accumulate,
      categorical.logProb(columnsOf(step.logits, step, row), choiceOf(step, row)),
    )
  },

  categoricalLogProbAdjoint({ slope, glogits, ...step }, row) {
    const g = row.of(slope, 1)[0]
    const gradient = categorical.logProbGradient(columnsOf(step.logits, step, row), choiceOf(step, row))
    columnsOf(glogits, step, row).set(gradient.map((v) => (g === 0 ? 0 : g * v)))
  },

  categoricalSample({ seed, purpose, streams, steps, logProb, accumulate, ...step }, row) {
    const key = { seed, purpose, stream: integer(streams, row), step: integer(steps, row) }
    const z = columnsOf(step.logits, step, row)
    const choice = categorical.choiceAt(z, uniform(key, step.earlier))
    setChoice(step, row, choice)
    add(row.of(logProb, 1), accumulate, categorical.logProb(z, choice))
  },

  categoricalMode(step, row) {
    setChoice(step, row, categorical.likeliest(columnsOf(step.logits, step, row)))
  },

  categoricalKl({ oldLogits, kl, accumulate, ...step }, row) {
    const [old, now] = [oldLogits, step.logits].map((logits) => columnsOf(logits, step, row))
    add(row.of(kl, 1), accumulate, categorical.kl(old, now))
  },

  categoricalFisher({ dlogits, weight, glogits, ...step }, row) {
    const w = row.of(weight, 1)[0]
    const product = categorical.fisher(columnsOf(step.logits, step, row), columnsOf(dlogits, step, row))
    columnsOf(glogits, step, row).set(product.map((v) => (w === 0 ? 0 : w * v)))
  },

  categoricalFisherRoot({ column: c, weight, glogits, ...step }, row) {
    const root = Math.sqrt(row.of(weight, 1)[0])
    row.of(glogits, step.before + step.count + step.after).fill(0)
    columnsOf(glogits, step, row).set(
      categorical.fisherRoot(columnsOf(step.logits, step, row), c).map((v) => (root === 0 ? 0 : root * v)),
    )
  },

  categoricalEntropy({ weight, coefficient, glogits, entropy, accumulate, ...step }, row) {
    const z = columnsOf(step.logits, step, row)
    add(row.of(entropy, 1), accumulate, categorical.entropy(z))
    const scale = coefficient * row.of(weight, 1)[0]
    if (!glogits || scale === 0) return
    const g = columnsOf(glogits, step, row)
    categorical.entropyGradient(z).forEach((v, k) => (g[k] += scale * v))
  },

  // Objectives.

  surrogate({ logProb, oldLogProb, factor, weight, clip, slope, sums }, row) {
    const [now, old, m, w] = [logProb, oldLogProb, factor, weight].map((column) => row.of(column, 1)[0])
    const ratio = Math.exp(now - old)
    if (slope) row.of(slope, 1)[0] = w === 0 ? 0 : w * gaussian.surrogateSlope(ratio, m, clip)
    if (w === 0) return
    row.addSum(sums[0], w * gaussian.surrogate(ratio, m, clip))
    row.addSum(sums[1], w)
    row.addSum(sums[2], gaussian.isClipped(ratio, clip) ? w : 0)
  },

  weightedSum({ x, weight, sums }, row) {
    const w = row.of(weight, 1)[0]
    if (w === 0) return
    row.addSum(sums[0], w * row.of(x, 1)[0])
    row.addSum(sums[1], w)
  },
}

interface ColumnPlace {
  readonly before: number
  readonly count: number
  readonly after: number
}

/** The columns in a row of a matrix [rows, before + count + after]. */
function columnsOf(matrix: Operand, { before, count, after }: ColumnPlace, row: Row): Float32Array {
  return row.of(matrix, before + count + after).subarray(before, before + count)
}

interface ChoicePlace {
  readonly action: Operand
  readonly earlier: number
  readonly later: number
}

function choiceOf({ action, earlier, later }: ChoicePlace, row: Row): number {
  return row.of(action, earlier + 1 + later)[earlier]
}

function setChoice({ action, earlier, later }: ChoicePlace, row: Row, choice: number): void {
  row.of(action, earlier + 1 + later)[earlier] = choice
}

function add(to: Float32Array, accumulate: boolean, value: number): void {
  to[0] = accumulate ? to[0] + value : value
}

/** Mean, sigma and d log sigma / d s of a row of outputs. */
function rowGaussian(
  { outputs, size, x, y }: { outputs: Operand; size: number; x: number; y: number },
  row: Row,
) {
  const values = Array.from(row.of(outputs, 2 * size))
  const table = values.slice(size).map((s) => gaussian.tableRow(s, x, y))
  return {
    mean: values.slice(0, size),
    sigma: table.map(([sigma]) => sigma),
    slopes: table.map(([, , , slope]) => slope),
  }
}

/** Diagonal of the Fisher matrix of the outputs. */
function rowGaussianFisher(outputs: Parameters<typeof rowGaussian>[0], row: Row): number[] {
  const { sigma, slopes } = rowGaussian(outputs, row)
  return [...sigma.map((s) => 1 / (s * s)), ...slopes.map((slope) => 2 * slope * slope)]
}

const COLUMNS = { sigma: 0, logSigma: 1, precision: 2, slope: 3 }

/** Column of a table [size, 4]: sigma, log sigma, 1 / sigma^2 or d log sigma / d log_std. */
function column(table: Tensor, size: number, name: keyof typeof COLUMNS): number[] {
  const values = tableOf(table, size)
  return Array.from({ length: size }, (_, j) => values[4 * j + COLUMNS[name]])
}

/** @throws RangeError for a table of another size */
export function tableOf(table: Tensor, size: number): Float64Array {
  const values = typed(table, 'f64') as Float64Array
  if (values.length !== 4 * size) throw new RangeError(`a table of ${values.length} for ${size} dimensions`)
  return values
}
