import assert from 'node:assert/strict'
import type { Device } from '../../../src/devices/device.js'
import { uniform } from '../../../src/devices/reference/random.js'
import type { RowStep } from '../../../src/devices/steps.js'
import type { Tensor } from '../../../src/devices/tensor.js'
import { close } from '../../reference/close.js'
import {
  deviation,
  gaussianKl,
  gradient,
  largest,
  logProb,
  normals,
  rowsOf,
  sum,
  surrogate,
  U,
} from '../../reference/dense.js'
import { each, f32, head, ROWS, type Checks } from './setup.js'

/** Position of the tested distribution, the second of two in a row. */
const PLACE = { before: 2, count: 4, after: 1 }
const WIDTH = 7
const CHOICE = { earlier: 1, later: 1 }
/** The row without any available choice. */
const NONE = 3

function categorical(device: Device) {
  const mask = Uint8Array.from({ length: ROWS * WIDTH }, (_, i) => ((i * 7 + (i >> 3)) % 3 ? 1 : 0))
  for (let r = 0; r < ROWS; r++) mask[r * WIDTH + 2 + (r % 4)] = 1
  mask.fill(0, NONE * WIDTH, (NONE + 1) * WIDTH)
  const [raw, oldRaw] = [normals(ROWS * WIDTH, 1, 2), normals(ROWS * WIDTH, 2, 2)]
  const choices = Array.from({ length: ROWS }, (_, r) => r % 4)
  const actions = choices.flatMap((choice) => [9, choice, 9])
  const weight = Float32Array.from({ length: ROWS }, (_, r) => (r % 5 ? 1 : 0))
  const available = device.tensor('u8', mask.length)
  device.write(available, mask)
  const tensors = {
    raw: f32(device, raw),
    oldRaw: f32(device, oldRaw),
    logits: device.tensor('f32', raw.length),
    oldLogits: device.tensor('f32', raw.length),
    action: f32(device, actions),
    weight: f32(device, weight),
  }
  const masked = (from: Tensor, to: Tensor): RowStep[] => [
    { op: 'copy', x: from, out: to, width: WIDTH },
    { op: 'maskChoices', logits: to, available, width: WIDTH },
  ]
  const setup = [...masked(tensors.raw, tensors.logits), ...masked(tensors.oldRaw, tensors.oldLogits)]
  /** Logits of the available choices of a row, and their indices. */
  const at = (values: ArrayLike<number>, r: number) => {
    const open = [0, 1, 2, 3].filter((k) => mask[r * WIDTH + 2 + k])
    return { open, logits: open.map((k) => values[r * WIDTH + 2 + k]) }
  }
  return { raw, oldRaw, mask, choices, weight, tensors, setup, at }
}

const softmax = (z: readonly number[]): number[] => {
  const parts = z.map((v) => Math.exp(v - Math.max(...z)))
  return parts.map((part) => part / sum(parts))
}

/** Values of the open choices at the columns of the distribution, 0 elsewhere. */
const spread = (open: readonly number[], values: readonly number[]): number[] =>
  [0, 1, 2, 3].map((k) => (open.includes(k) ? values[open.indexOf(k)] : 0))

function checkMask(device: Device): void {
  const { raw, mask, tensors, setup } = categorical(device)
  each(device, { rows: setup }, (count) => {
    const got = head(device, tensors.logits, count, WIDTH)
    assert.deepEqual(
      got,
      got.map((_, i) => (mask[i] ? raw[i] : -Infinity)),
    )
  })
}

function checkCategoricalLogProb(device: Device): void {
  const { raw, choices, tensors, setup, at } = categorical(device)
  const { logits, action } = tensors
  const slopes = Float32Array.from({ length: ROWS }, (_, r) => (r % 6 ? (r % 7) - 3.5 : 0))
  const [out, glogits, slope] = [device.tensor('f32', ROWS), f32(device, raw), f32(device, slopes)]
  const rows: RowStep[] = [
    ...setup,
    { op: 'categoricalLogProb', logits, ...PLACE, action, ...CHOICE, logProb: out, accumulate: false },
    { op: 'categoricalLogProb', logits, ...PLACE, action, ...CHOICE, logProb: out, accumulate: true },
    { op: 'categoricalLogProbAdjoint', logits, ...PLACE, action, ...CHOICE, slope, glogits },
  ]
  each(device, { rows }, (count) => {
    const got = head(device, out, count, 1)
    const g = rowsOf(head(device, glogits, count, WIDTH), WIDTH)
    for (let r = 0; r < count; r++) {
      const { open, logits: z } = at(raw, r)
      const place = open.indexOf(choices[r])
      assert.deepEqual([g[r][0], g[r][1], g[r][6]], [raw[r * WIDTH], raw[r * WIDTH + 1], raw[r * WIDTH + 6]])
      if (r === NONE) close([got[r], ...g[r].slice(2, 6)], [0, 0, 0, 0, 0], 0, 'nothing')
      // An unavailable action has no probability.
      if (place < 0) {
        assert.equal(got[r], r === NONE ? 0 : -Infinity)
        continue
      }
      const f = (x: ArrayLike<number>) => Math.log(softmax(Array.from(x))[place])
      close([got[r]], [2 * f(z)], 4 * U * Math.abs(f(z)) + 1e-12, `log-probability of row ${r}`)
      const want = spread(open, [...gradient(f, z, 1e-3)]).map((v) => v * slopes[r])
      close(g[r].slice(2, 6), want, 4 * U * (1 + largest(want)) + 1e-10, `gradient of row ${r}`)
    }
  })
  device.write(
    action,
    Float32Array.from({ length: 3 * ROWS }, (_, i) => [4, -1, NaN][i % 3]),
  )
  for (const earlier of [0, 1, 2]) {
    const bad: RowStep = {
      op: 'categoricalLogProb',
      logits,
      ...PLACE,
      action,
      earlier,
      later: 2 - earlier,
      logProb: out,
      accumulate: false,
    }
    device.run(device.compile({ rows: [...setup, bad] }, ROWS), ROWS)
    assert.ok(head(device, out, ROWS, 1).every((v, r) => (r === NONE ? v === 0 : Number.isNaN(v))))
  }
}

function checkCategoricalChoices(device: Device): void {
  const { raw, tensors, setup, at } = categorical(device)
  const { logits } = tensors
  const [streams, steps] = [device.tensor('i32', ROWS), device.tensor('i32', ROWS)]
  device.write(
    streams,
    Int32Array.from({ length: ROWS }, (_, r) => r % 20),
  )
  device.write(
    steps,
    Int32Array.from({ length: ROWS }, (_, r) => Math.floor(r / 20)),
  )
  const [drawn, likeliest] = [0, 1].map(() => f32(device, new Float32Array(3 * ROWS).fill(7)))
  const [of, again] = [0, 1].map(() => device.tensor('f32', ROWS))
  const key = { seed: 2 ** 40 + 3, purpose: 1 }
  const rows: RowStep[] = [
    ...setup,
    {
      op: 'categoricalSample',
      logits,
      ...PLACE,
      ...key,
      streams,
      steps,
      action: drawn,
      ...CHOICE,
      logProb: of,
      accumulate: false,
    },
    {
      op: 'categoricalLogProb',
      logits,
      ...PLACE,
      action: drawn,
      ...CHOICE,
      logProb: again,
      accumulate: false,
    },
    { op: 'categoricalMode', logits, ...PLACE, action: likeliest, ...CHOICE },
  ]
  each(device, { rows }, (count) => {
    assert.deepEqual(head(device, of, count, 1), head(device, again, count, 1))
    const [samples, modes] = [drawn, likeliest].map((tensor) => rowsOf(head(device, tensor, count, 3), 3))
    for (let r = 0; r < count; r++) {
      const { open, logits: z } = at(raw, r)
      assert.deepEqual([samples[r][0], samples[r][2], modes[r][0], modes[r][2]], [7, 7, 7, 7])
      if (r === NONE) {
        assert.deepEqual([samples[r][1], modes[r][1]], [0, 0])
        continue
      }
      assert.equal(modes[r][1], open[z.indexOf(Math.max(...z))])
      const u = uniform({ ...key, stream: r % 20, step: Math.floor(r / 20) }, 1)
      const p = softmax(z)
      const place = open.indexOf(samples[r][1])
      const [low, high] = [sum(p.slice(0, place)), sum(p.slice(0, place + 1))]
      assert.ok(place >= 0 && low - 1e-12 <= u && u <= high + 1e-12, `row ${r}: ${u} in ${low} .. ${high}`)
    }
  })
}

/** In rows with a NaN logit, the action is NaN. */
function checkNaN(device: Device): void {
  const values = normals(ROWS * WIDTH, 1)
  for (let r = 0; r < ROWS; r++) if (r % 3 === 0) values[r * WIDTH + 2 + (r % 4)] = NaN
  const logits = f32(device, values)
  const [streams, steps] = [device.tensor('i32', ROWS), device.tensor('i32', ROWS)]
  const [drawn, likeliest] = [0, 1].map(() => device.tensor('f32', 3 * ROWS))
  const logProb = device.tensor('f32', ROWS)
  const noise = { seed: 1, purpose: 1, streams, steps }
  const place = { logits, ...PLACE, ...CHOICE }
  const rows: RowStep[] = [
    { op: 'categoricalSample', ...place, ...noise, action: drawn, logProb, accumulate: false },
    { op: 'categoricalMode', ...place, action: likeliest },
  ]
  each(device, { rows }, (count) => {
    for (const tensor of [drawn, likeliest])
      rowsOf(head(device, tensor, count, 3), 3).forEach((row, r) =>
        assert.equal(Number.isNaN(row[1]), r % 3 === 0),
      )
    head(device, logProb, count, 1).forEach((v, r) => assert.equal(Number.isNaN(v), r % 3 === 0))
  })
}

function checkCategoricalMeasures(device: Device): void {
  const { raw, oldRaw, weight: w, tensors, setup, at } = categorical(device)
  const { logits, oldLogits, weight } = tensors
  const [kl, entropy] = [0, 1].map(() => device.tensor('f32', ROWS))
  const start = normals(ROWS * WIDTH, 5)
  const [glogits, first] = [f32(device, start), f32(device, start)]
  const rows: RowStep[] = [
    ...setup,
    { op: 'copy', x: first, out: glogits, width: WIDTH },
    { op: 'categoricalKl', oldLogits, logits, ...PLACE, kl, accumulate: false },
    {
      op: 'categoricalEntropy',
      logits,
      ...PLACE,
      weight,
      coefficient: 0.7,
      glogits,
      entropy,
      accumulate: false,
    },
    { op: 'weightedSum', x: kl, weight, sums: ['kl', 'weight'] },
  ]
  each(device, { rows }, (count, sums) => {
    const [divergences, entropies] = [kl, entropy].map((tensor) => head(device, tensor, count, 1))
    const g = rowsOf(head(device, glogits, count, WIDTH), WIDTH)
    for (let r = 0; r < count; r++) {
      const [{ open, logits: z }, old] = [at(raw, r), at(oldRaw, r)]
      const before = rowsOf(start, WIDTH)[r]
      if (r === NONE) {
        close([divergences[r], entropies[r], ...g[r]], [0, 0, ...before], 0, 'nothing')
        continue
      }
      const [p, q] = [softmax(old.logits), softmax(z)]
      const want = sum(p.map((v, k) => v * Math.log(v / q[k])))
      close([divergences[r]], [want], 2 * U * want + 1e-12, `KL of row ${r}`)
      const h = (x: ArrayLike<number>) => -sum(softmax(Array.from(x)).map((v) => v * Math.log(v)))
      close([entropies[r]], [h(z)], 2 * U * h(z) + 1e-12, `entropy of row ${r}`)
      const slope = spread(open, [...gradient(h, z, 1e-3)])
      const sums = before.map((v, i) => v + 0.7 * w[r] * (slope[i - 2] ?? 0))
      close(g[r], sums, 4 * U * (1 + largest(sums)) + 1e-10, `entropy gradient of row ${r}`)
    }
    const counted = divergences.filter((_, r) => w[r] !== 0)
    close([sums.kl, sums.weight], [sum(counted), counted.length], 1e-9 * (1 + sum(counted)), 'weighted sum')
  })
}

function checkCategoricalFisher(device: Device): void {
  const { raw, weight: w, tensors, setup, at } = categorical(device)
  const { logits, weight } = tensors
  const d = normals(ROWS * WIDTH, 6)
  const [dlogits, fisher, root] = [f32(device, d), f32(device, d), f32(device, d)]
  const rows = [...setup, { op: 'categoricalFisher', dlogits, logits, ...PLACE, weight, glogits: fisher }]
  /** sum over columns c of the root's rows r_c (r_c . d), which is F d. */
  const product = Array.from({ length: ROWS }, () => [0, 0, 0, 0])
  for (let column = 0; column < PLACE.count; column++) {
    const step: RowStep = { op: 'categoricalFisherRoot', logits, ...PLACE, column, weight, glogits: root }
    device.run(device.compile({ rows: [...setup, step] }, ROWS), ROWS)
    rowsOf(device.read(root), WIDTH).forEach((all, r) => {
      assert.deepEqual([all[0], all[1], all[6]], [0, 0, 0])
      const along = sum(all.map((v, i) => v * d[r * WIDTH + i]))
      for (let k = 0; k < 4; k++) product[r][k] += all[2 + k] * along
    })
  }
  each(device, { rows: rows as RowStep[] }, (count) => {
    const got = rowsOf(head(device, fisher, count, WIDTH), WIDTH)
    for (let r = 0; r < count; r++) {
      const { open, logits: z } = at(raw, r)
      const p = softmax(z)
      const along = open.map((k) => d[r * WIDTH + 2 + k])
      const mean = sum(p.map((v, k) => v * along[k]))
      const want =
        r === NONE
          ? [0, 0, 0, 0]
          : spread(
              open,
              p.map((v, k) => w[r] * v * (along[k] - mean)),
            )
      close(got[r].slice(2, 6), want, 4 * U * (1 + largest(along)), `Fisher product of row ${r}`)
      close(product[r], want, 16 * U * (1 + largest(along)), `product by the root of row ${r}`)
      assert.deepEqual(
        [got[r][0], got[r][1], got[r][6]],
        [0, 1, 6].map((i) => d[r * WIDTH + i]),
      )
    }
  })
}

const X = 1.2
const Y = 0.6
const SIZE = 3

function rowGaussian(device: Device) {
  const host = {
    outputs: normals(ROWS * 2 * SIZE, 1),
    oldOutputs: normals(ROWS * 2 * SIZE, 2),
    action: normals(ROWS * SIZE, 3),
    weight: Float32Array.from({ length: ROWS }, (_, r) => (r % 5 ? 1 : 0)),
  }
  const [outputs, oldOutputs, action, weight] = Object.values(host).map((values) => f32(device, values))
  const split = (row: ArrayLike<number>) => {
    const values = Array.from(row)
    return { mean: values.slice(0, SIZE), sigma: values.slice(SIZE).map((s) => deviation(s, X, Y)) }
  }
  return { host, outputs, oldOutputs, action, weight, split, shape: { size: SIZE, x: X, y: Y } }
}

function checkRowGaussian(device: Device): void {
  const { host, outputs, oldOutputs, action, weight, split, shape } = rowGaussian(device)
  const [at, kl, entropy] = [0, 1, 2].map(() => device.tensor('f32', ROWS))
  const slopes = normals(ROWS, 4)
  const [slope, gradients, entropies] = [f32(device, slopes), ...[0, 1].map(() => f32(device, host.outputs))]
  const rows: RowStep[] = [
    { op: 'rowGaussianLogProb', outputs, ...shape, action, logProb: at },
    { op: 'rowGaussianLogProbAdjoint', outputs, ...shape, action, slope, goutputs: gradients },
    { op: 'rowGaussianKl', outputs, oldOutputs, ...shape, kl },
    { op: 'copy', x: outputs, out: entropies, width: 2 * SIZE },
    { op: 'rowGaussianEntropy', outputs, ...shape, weight, coefficient: 0.7, entropy, goutputs: entropies },
  ]
  const [now, old, actions] = [rowsOf(host.outputs, 6), rowsOf(host.oldOutputs, 6), rowsOf(host.action, 3)]
  each(device, { rows }, (count) => {
    const [logs, divergences, measured] = [at, kl, entropy].map((tensor) => head(device, tensor, count, 1))
    const [g, ge] = [gradients, entropies].map((tensor) => rowsOf(head(device, tensor, count, 6), 6))
    for (let r = 0; r < count; r++) {
      const f = (row: ArrayLike<number>) => logProb(actions[r], split(row).mean, split(row).sigma)
      close([logs[r]], [f(now[r])], 2 * U * Math.abs(f(now[r])) + 1e-10, 'log-probability')
      const want = gradient(f, now[r], 1e-3).map((v) => v * slopes[r])
      close(g[r], want, 4 * U * largest(want) + 1e-7 * Math.abs(slopes[r]), 'gradient')
      const [p, q] = [split(old[r]), split(now[r])]
      const divergence = gaussianKl(p.mean, p.sigma, q.mean, q.sigma)
      close([divergences[r]], [divergence], 2 * U * divergence + 1e-10, 'KL')
      const h = (row: ArrayLike<number>) =>
        sum(split(row).sigma.map((s) => 0.5 * Math.log(2 * Math.PI * Math.E * s * s)))
      close([measured[r]], [h(now[r])], 4 * U * (1 + Math.abs(h(now[r]))), 'entropy')
      const moved = gradient(h, now[r], 1e-3).map((v, i) => now[r][i] + 0.7 * host.weight[r] * v)
      close(ge[r], moved, 4 * U * (1 + largest(moved)) + 1e-8, 'entropy gradient')
    }
  })
}

function checkRowGaussianFisher(device: Device): void {
  const { host, outputs, weight, split, shape } = rowGaussian(device)
  const d = normals(ROWS * 2 * SIZE, 7)
  const [product, root] = [f32(device, d), f32(device, d)]
  const fisher = rowsOf(host.outputs, 6).map((row, r) => {
    const slopes = split(row).sigma.map((s) => (1 - s / Y) / X)
    return [...split(row).sigma.map((s) => 1 / (s * s)), ...slopes.map((v) => 2 * v * v)].map(
      (v) => host.weight[r] * v,
    )
  })
  const step: RowStep = {
    op: 'rowGaussianFisher',
    doutputs: product,
    outputs,
    ...shape,
    weight,
    goutputs: product,
  }
  device.run(device.compile({ rows: [step] }, ROWS), ROWS)
  const want = fisher.flatMap((row, r) => row.map((v, i) => v * d[r * 6 + i]))
  close(device.read(product), want, (i) => 4 * U * Math.abs(want[i]), 'Fisher product in place')
  for (let column = 0; column < 6; column++) {
    const rows: RowStep[] = [
      { op: 'rowGaussianFisherRoot', outputs, ...shape, column, weight, goutputs: root },
    ]
    each(device, { rows }, (count) => {
      const roots = fisher
        .slice(0, count)
        .flatMap((row) => row.map((v, i) => (i === column ? Math.sqrt(v) : 0)))
      close(head(device, root, count, 6), roots, (i) => 4 * U * roots[i], `column ${column} of the root`)
    })
  }
}

function checkSurrogate(device: Device): void {
  const [now, old, factor] = [normals(ROWS, 1), normals(ROWS, 2), normals(ROWS, 3)]
  const weights = Float32Array.from({ length: ROWS }, (_, r) => (r % 5 ? 1 : 0))
  const [logProb, oldLogProb, m, weight] = [now, old, factor, weights].map((values) => f32(device, values))
  const slope = device.tensor('f32', ROWS)
  for (const clip of [null, 0.2]) {
    const sums = ['objective', 'weight', 'clipped'] as const
    const operands = { logProb, oldLogProb, factor: m, weight, clip, slope }
    each(device, { rows: [{ op: 'surrogate', ...operands, sums }] }, (count, found) => {
      const f = (r: number, shift: number) =>
        weights[r] * surrogate(Math.exp(now[r] + shift - old[r]), factor[r], clip)
      const counted = Array.from({ length: count }, (_, r) => r)
      const terms = counted.map((r) => f(r, 0))
      close([found.objective], [sum(terms)], 1e-12 * sum(terms.map(Math.abs)) + 1e-12, 'objective')
      const outside = counted.filter(
        (r) => clip !== null && weights[r] && Math.abs(Math.exp(now[r] - old[r]) - 1) > clip,
      )
      assert.deepEqual([found.weight, found.clipped], [sum(weights.subarray(0, count)), outside.length])
      const want = counted.map((r) => (f(r, 1e-6) - f(r, -1e-6)) / 2e-6)
      close(head(device, slope, count, 1), want, (r) => 2 * U * Math.abs(want[r]) + 1e-7, 'slope')
    })
  }
}

function checkParts(device: Device): void {
  const [x, mask] = [normals(ROWS * WIDTH, 1), Uint8Array.from({ length: 3 * ROWS }, (_, i) => i % 251)]
  const [part, picked] = [device.tensor('f32', 4 * ROWS), device.tensor('u8', 3 * ROWS)]
  const [source, index] = [device.tensor('u8', 3 * ROWS), device.tensor('i32', ROWS)]
  device.write(source, mask)
  device.write(
    index,
    Int32Array.from({ length: ROWS }, (_, r) => (r * 7) % ROWS),
  )
  const rows: RowStep[] = [
    { op: 'part', x: f32(device, x), ...PLACE, out: part },
    { op: 'gather', source, index, width: 3, out: picked },
  ]
  each(device, { rows }, (count) => {
    const want = rowsOf(x, WIDTH).flatMap((row) => row.slice(2, 6))
    assert.deepEqual(head(device, part, count, 4), want.slice(0, 4 * count))
    const gathered = Array.from(
      { length: 3 * count },
      (_, i) => mask[((Math.floor(i / 3) * 7) % ROWS) * 3 + (i % 3)],
    )
    assert.deepEqual(head(device, picked, count, 3), gathered)
  })
}

export const headChecks: Checks = {
  'masks of choices': checkMask,
  'the log-probability of a choice and its gradient': checkCategoricalLogProb,
  'the choices of a categorical distribution': checkCategoricalChoices,
  'choices among NaN logits': checkNaN,
  'categorical KL and entropy': checkCategoricalMeasures,
  'the categorical Fisher product and its root': checkCategoricalFisher,
  'the Gaussian with a deviation per row': checkRowGaussian,
  'the Fisher product and root of the Gaussian with a deviation per row': checkRowGaussianFisher,
  'the surrogate of log-probabilities': checkSurrogate,
  'parts of rows, and gathered bytes': checkParts,
}
