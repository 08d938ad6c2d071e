import assert from 'node:assert/strict'
import type { Device } from '../../../src/devices/device.js'
import type { ProgramSpec, RowStep } from '../../../src/devices/steps.js'
import { scratch, type Tensor } from '../../../src/devices/tensor.js'
import type { NoiseKey } from '../../../src/learner/heads/head.js'
import { close } from '../../reference/close.js'
import { gamma, largest, normals, sum, U } from '../../reference/dense.js'
import { COUNTS, f32, i32, ROWS, same, type Checks, type Subject } from './setup.js'

const SIZE = 4
const WIDTH = SIZE + 2
const UNITS = 5
const ACTIONS = 3
/** Vectors per row of the steps on several of them. */
const SEVERAL = 2

/** First of the rows that are all run alone. */
const LAST = 282

/** Widths of the operands of a program that contains every kind of row step. */
const INPUTS = {
  raw: SIZE,
  g: WIDTH,
  dx: WIDTH,
  action: ACTIONS,
  oldMean: ACTIONS,
  oldLogProb: 1,
  factor: 1,
  weight: 1,
  old: 1,
  target: 1,
  several: SEVERAL * WIDTH,
  coefficients: SEVERAL,
  /** The middle entry is one of the first two choices. */
  chosen: 3,
  oldLogits: UNITS,
  oldPair: 2 * ACTIONS,
} as const
const OUTPUTS = {
  picked: SIZE,
  x: WIDTH,
  xhat: WIDTH,
  rstd: 1,
  normed: WIDTH,
  tangent: WIDTH,
  gx: WIDTH,
  z: UNITS,
  twice: UNITS,
  y: UNITS,
  slope: UNITS,
  product: UNITS,
  gy: WIDTH,
  graw: SIZE,
  mean: ACTIONS,
  logProb: 1,
  sample: ACTIONS,
  sampleLogProb: 1,
  gmean: ACTIONS,
  newLogProb: 1,
  fisher: ACTIONS,
  root: ACTIONS,
  value: 1,
  gvalue: 1,
  spread: SEVERAL * UNITS,
  severalGx: SEVERAL * WIDTH,
  severalProduct: SEVERAL * UNITS,
  severalGy: SEVERAL * WIDTH,
  mixed: WIDTH,
  dots: SEVERAL,
  choiceLogProb: 1,
  choice: 3,
  choiceOfSample: 1,
  likeliest: 3,
  choiceSlope: 1,
  choiceGradient: UNITS,
  choiceFisher: UNITS,
  choiceRoot: UNITS,
  choiceKl: 1,
  choiceEntropy: 1,
  pair: 2 * ACTIONS,
  pairMean: ACTIONS,
  pairLogProb: 1,
  pairSample: ACTIONS,
  pairOfSample: 1,
  pairGradient: 2 * ACTIONS,
  pairFisher: 2 * ACTIONS,
  pairRoot: 2 * ACTIONS,
  pairKl: 1,
  pairEntropy: 1,
  squashed: ACTIONS,
  squashSlope: ACTIONS,
  explored: ACTIONS,
  joint: 1 + ACTIONS + SEVERAL,
  taken: ACTIONS,
} as const
type Name = keyof typeof INPUTS | keyof typeof OUTPUTS

/** Operands for all rows, and the program on some of the rows. */
class World {
  readonly tensors: Record<Name, Tensor>
  readonly ids: Tensor
  readonly index: Tensor
  readonly source: Tensor
  readonly available: Tensor
  readonly gradient: Tensor
  readonly #device: Device
  readonly #parameters: Record<string, Tensor>

  constructor(device: Device) {
    this.#device = device
    const widths = Object.entries({ ...INPUTS, ...OUTPUTS })
    this.tensors = Object.fromEntries(
      widths.map(([name, width], i) => {
        const values = name in INPUTS ? normals(ROWS * width, i + 1) : new Float32Array(ROWS * width)
        if (name === 'weight') values.forEach((_, r) => (values[r] = r % 4 ? 1 : 0))
        if (name === 'chosen') values.forEach((_, i) => (values[i] = Math.floor(i / 3) % 2))
        return [name, f32(device, values)]
      }),
    ) as Record<Name, Tensor>
    this.ids = i32(
      device,
      Array.from({ length: ROWS }, (_, r) => r % 2),
    )
    this.index = i32(
      device,
      Array.from({ length: ROWS }, (_, r) => (r * 7) % ROWS),
    )
    this.source = f32(device, normals(ROWS * SIZE, 99))
    this.available = device.tensor('u8', ROWS * UNITS)
    device.write(
      this.available,
      Array.from({ length: ROWS * UNITS }, (_, i) => (i % UNITS < 3 || i % 7 ? 1 : 0)),
    )
    this.gradient = device.tensor('f32', UNITS * WIDTH + UNITS + 2 * WIDTH + 2 * ACTIONS)
    const parameter = (n: number, seed: number) => f32(device, normals(n, seed, 0.5))
    this.#parameters = {
      gamma: parameter(WIDTH, 101),
      beta: parameter(WIDTH, 102),
      dgamma: parameter(WIDTH, 103),
      dbeta: parameter(WIDTH, 104),
      weight: parameter(UNITS * WIDTH, 105),
      bias: parameter(UNITS, 106),
      policy: parameter(ACTIONS * UNITS, 107),
      critic: parameter(UNITS, 108),
      logStd: parameter(ACTIONS, 109),
      table: device.tensor('f64', 4 * ACTIONS),
      vector: parameter(SEVERAL * UNITS, 110),
      low: f32(device, new Float32Array(ACTIONS).fill(-2)),
      high: f32(device, new Float32Array(ACTIONS).fill(3)),
      joint: parameter(1 + ACTIONS + SEVERAL, 111),
    }
  }

  /** Rows `from` .. `from` + `count` - 1 of an operand. */
  view(name: Name, from: number, count: number): Tensor {
    const width = { ...INPUTS, ...OUTPUTS }[name]
    return this.#device.slice(this.tensors[name], from * width, count * width)
  }

  spec(from: number, count: number): ProgramSpec {
    const views = Object.fromEntries(
      Object.keys(this.tensors).map((name) => [name, this.view(name as Name, from, count)]),
    ) as Record<Name, Tensor>
    const column = (tensor: Tensor) => this.#device.slice(tensor, from, count)
    const { gamma, beta, dgamma, dbeta, weight, bias, policy, critic, logStd, table } = this.#parameters
    const v = views
    const kept = { xhat: v.xhat, rstd: v.rstd, gamma, width: WIDTH }
    const stage = { size: SIZE, agentId: { indices: column(this.ids), count: 2 }, standardise: true }
    const gaussian = { mean: v.mean, table, size: ACTIONS }
    const ofLogStd = UNITS * WIDTH + UNITS + 2 * WIDTH
    const rows: RowStep[] = [
      { op: 'gather', source: this.source, index: column(this.index), width: SIZE, out: v.picked },
      { op: 'multiply', a: v.picked, b: v.raw, out: v.picked, width: SIZE },
      { op: 'input', raw: v.picked, out: v.x, ...stage },
      { op: 'layerNorm', x: v.x, beta, out: v.normed, ...kept },
      { op: 'layerNormTangent', dx: v.dx, dgamma, dbeta, out: v.tangent, ...kept },
      { op: 'layerNormAdjoint', g: v.g, gx: v.gx, ...kept },
      { op: 'layerNormWeights', g: v.g, xhat: v.xhat, width: WIDTH, gamma: 0, beta: WIDTH },
      { op: 'linear', x: v.normed, inputs: WIDTH, weight, bias, y: v.z, outputs: UNITS, accumulate: false },
      { op: 'copy', x: v.z, out: v.twice, width: UNITS },
      {
        op: 'linear',
        x: v.tangent,
        inputs: WIDTH,
        weight,
        bias: null,
        y: v.twice,
        outputs: UNITS,
        accumulate: true,
      },
      { op: 'activation', z: v.z, y: v.y, derivative: v.slope, width: UNITS, kind: 'tanh' },
      { op: 'multiply', a: v.slope, b: v.twice, out: v.product, width: UNITS },
      { op: 'linearAdjoint', gy: v.product, outputs: UNITS, weight, gx: v.gy, inputs: WIDTH },
      {
        op: 'linearWeights',
        x: v.normed,
        inputs: WIDTH,
        gy: v.product,
        outputs: UNITS,
        weight: 2 * WIDTH,
        bias: 2 * WIDTH + UNITS * WIDTH,
      },
      { op: 'inputAdjoint', raw: v.picked, g: v.gy, graw: v.graw, ...stage },
      {
        op: 'linear',
        x: v.y,
        inputs: UNITS,
        weight: policy,
        bias: null,
        y: v.mean,
        outputs: ACTIONS,
        accumulate: false,
      },
      { op: 'gaussianLogProb', ...gaussian, action: v.action, logProb: v.logProb },
      {
        op: 'gaussianSample',
        ...gaussian,
        seed: 5,
        purpose: 1,
        streams: column(this.ids),
        steps: column(this.index),
        action: v.sample,
        logProb: v.sampleLogProb,
      },
      {
        op: 'gaussianSurrogate',
        ...gaussian,
        action: v.action,
        oldLogProb: v.oldLogProb,
        factor: v.factor,
        weight: v.weight,
        clip: 0.2,
        gradient: { mean: v.gmean, logStd: ofLogStd },
        logProb: v.newLogProb,
        sums: ['objective', 'valid', 'clipped'],
      },
      {
        op: 'gaussianKl',
        oldMean: v.oldMean,
        oldTable: table,
        ...gaussian,
        weight: v.weight,
        sums: ['kl', 'counted'],
      },
      {
        op: 'gaussianFisher',
        dmean: v.action,
        dlogStd: logStd,
        table,
        size: ACTIONS,
        weight: v.weight,
        gmean: v.fisher,
        logStd: ofLogStd + ACTIONS,
      },
      {
        op: 'gaussianFisherRoot',
        table,
        size: ACTIONS,
        column: 1,
        weight: v.weight,
        gmean: v.root,
      },
      {
        op: 'linear',
        x: v.y,
        inputs: UNITS,
        weight: critic,
        bias: null,
        y: v.value,
        outputs: 1,
        accumulate: false,
      },
      {
        op: 'valueLoss',
        value: v.value,
        old: v.old,
        target: v.target,
        weight: v.weight,
        clip: 0.2,
        huberDelta: 1,
        gvalue: v.gvalue,
        sums: ['loss', 'rows'],
      },
      ...this.#severalSteps(v, kept),
      ...this.#headSteps(v, {
        available: this.#device.slice(this.available, from * UNITS, count * UNITS),
        noise: { seed: 5, purpose: 1, streams: column(this.ids), steps: column(this.index) },
      }),
      ...this.#boundedSteps(v, column),
    ]
    const setup = [{ op: 'gaussianTable', logStd, x: 1, y: 0.5, table, size: ACTIONS }] as const
    return { setup, rows, gradient: this.gradient }
  }

  /** Steps on several vectors per row. */
  #severalSteps(
    v: Record<Name, Tensor>,
    kept: { xhat: Tensor; rstd: Tensor; gamma: Tensor; width: number },
  ): RowStep[] {
    const { weight, vector } = this.#parameters
    const repeat = SEVERAL
    return [
      { op: 'broadcast', vector, out: v.spread, width: repeat * UNITS },
      { op: 'layerNormAdjoint', repeat, g: v.several, gx: v.severalGx, ...kept },
      { op: 'multiply', repeat, a: v.spread, b: v.slope, out: v.severalProduct, width: UNITS },
      {
        op: 'linearAdjoint',
        repeat,
        gy: v.severalProduct,
        outputs: UNITS,
        weight,
        gx: v.severalGy,
        inputs: WIDTH,
      },
      {
        op: 'mixVectors',
        vectors: v.severalGx,
        coefficients: v.coefficients,
        count: SEVERAL,
        width: WIDTH,
        out: v.mixed,
      },
      { op: 'copy', x: v.coefficients, out: v.dots, width: SEVERAL },
      { op: 'dotVectors', vectors: v.severalGy, x: v.mixed, count: SEVERAL, width: WIDTH, out: v.dots },
    ]
  }

  /** Steps of categorical distributions, and of Gaussians with a deviation per row. */
  #headSteps(
    v: Record<Name, Tensor>,
    { available, noise }: { available: Tensor; noise: NoiseKey },
  ): RowStep[] {
    const [logits, oldLogits] = [scratch(UNITS), scratch(UNITS)]
    const place = { logits, before: 1, count: 3, after: 1 }
    const choice = { earlier: 1, later: 1 }
    const taken = { action: v.chosen, ...choice }
    const pair = { outputs: v.pair, size: ACTIONS, x: 1, y: 0.5 }
    const { weight, factor, oldLogProb } = v
    const once = { accumulate: false }
    return [
      { op: 'copy', x: v.y, out: logits, width: UNITS },
      { op: 'maskChoices', logits, available, width: UNITS },
      { op: 'copy', x: v.oldLogits, out: oldLogits, width: UNITS },
      { op: 'maskChoices', logits: oldLogits, available, width: UNITS },
      { op: 'categoricalLogProb', ...place, ...taken, logProb: v.choiceLogProb, ...once },
      { op: 'categoricalLogProb', ...place, ...taken, logProb: v.choiceLogProb, accumulate: true },
      {
        op: 'surrogate',
        logProb: v.choiceLogProb,
        oldLogProb,
        factor,
        weight,
        clip: 0.2,
        slope: v.choiceSlope,
        sums: ['choice objective', 'choice weight', 'choice clipped'],
      },
      { op: 'copy', x: v.y, out: v.choiceGradient, width: UNITS },
      {
        op: 'categoricalLogProbAdjoint',
        ...place,
        ...taken,
        slope: v.choiceSlope,
        glogits: v.choiceGradient,
      },
      { op: 'copy', x: v.chosen, out: v.choice, width: 3 },
      {
        op: 'categoricalSample',
        ...place,
        ...noise,
        action: v.choice,
        ...choice,
        logProb: v.choiceOfSample,
        ...once,
      },
      { op: 'copy', x: v.chosen, out: v.likeliest, width: 3 },
      { op: 'categoricalMode', ...place, action: v.likeliest, ...choice },
      { op: 'categoricalKl', oldLogits, ...place, kl: v.choiceKl, ...once },
      {
        op: 'categoricalEntropy',
        ...place,
        weight,
        coefficient: 0.3,
        glogits: v.choiceGradient,
        entropy: v.choiceEntropy,
        ...once,
      },
      { op: 'copy', x: v.y, out: v.choiceFisher, width: UNITS },
      { op: 'categoricalFisher', dlogits: v.oldLogits, ...place, weight, glogits: v.choiceFisher },
      { op: 'categoricalFisherRoot', ...place, column: 1, weight, glogits: v.choiceRoot },
      { op: 'weightedSum', x: v.choiceKl, weight, sums: ['choice kl', 'choice counted'] },
      { op: 'part', x: v.picked, before: 1, count: ACTIONS, after: SIZE - 1 - ACTIONS, out: v.pairMean },
      { op: 'copy', x: v.oldPair, out: v.pair, width: 2 * ACTIONS },
      { op: 'rowGaussianLogProb', ...pair, action: v.action, logProb: v.pairLogProb },
      {
        op: 'rowGaussianLogProbAdjoint',
        ...pair,
        action: v.action,
        slope: v.choiceSlope,
        goutputs: v.pairGradient,
      },
      { op: 'rowGaussianSample', ...pair, ...noise, action: v.pairSample, logProb: v.pairOfSample },
      { op: 'rowGaussianKl', ...pair, oldOutputs: v.oldPair, kl: v.pairKl },
      { op: 'rowGaussianFisher', ...pair, doutputs: v.oldPair, weight, goutputs: v.pairFisher },
      { op: 'rowGaussianFisherRoot', ...pair, column: 4, weight, goutputs: v.pairRoot },
      {
        op: 'rowGaussianEntropy',
        ...pair,
        weight,
        coefficient: 0.3,
        goutputs: v.pairGradient,
        entropy: v.pairEntropy,
      },
    ]
  }

  /** Steps of deterministic policies and of columns. */
  #boundedSteps(v: Record<Name, Tensor>, column: (tensor: Tensor) => Tensor): RowStep[] {
    const { low, high } = this.#parameters
    const key = { seed: 5, purpose: 2, streams: column(this.ids), steps: column(this.index) }
    const columns = { before: 1, count: ACTIONS, after: SEVERAL }
    const size = ACTIONS
    return [
      {
        op: 'squash',
        z: v.mean,
        scale: high,
        offset: low,
        size,
        action: v.squashed,
        derivative: v.squashSlope,
      },
      {
        op: 'explore',
        mode: v.squashed,
        low,
        high,
        size,
        noise: 0.1,
        warmup: 99,
        ...key,
        action: v.explored,
      },
      { op: 'broadcast', vector: this.#parameters.joint, out: v.joint, width: 1 + ACTIONS + SEVERAL },
      { op: 'place', x: v.explored, out: v.joint, ...columns },
      { op: 'part', x: v.joint, out: v.taken, ...columns },
    ]
  }

  /** Rows of all outputs, side by side. */
  results(from: number, count: number): Record<string, number[]> {
    return Object.fromEntries(
      Object.keys(OUTPUTS).map((name) => [
        name,
        Array.from(this.#device.read(this.view(name as Name, from, count))),
      ]),
    )
  }

  /** Overwrites the outputs of rows `from` .. `from` + `count` - 1. */
  spoil(from: number, count: number, value: number): void {
    for (const name of Object.keys(OUTPUTS)) this.#device.fill(this.view(name as Name, from, count), value)
  }
}

/** Rounding of a chain of about twenty operations on numbers of order 1. */
const bound = (want: readonly number[]) => 200 * U * (1 + largest(want))

function compare(
  subject: Subject,
  got: Record<string, number[]>,
  want: Record<string, number[]>,
  what: string,
) {
  for (const name of Object.keys(OUTPUTS))
    same(subject, got[name], want[name], bound(want[name]), `${name} ${what}`)
}

/** A row has the same results, sums and gradients alone and in any batch, at any position. */
function checkRowsAlone(device: Device, subject: Subject): void {
  const world = new World(device)
  const alone: { results: Record<string, number[]>; gradient: number[]; sums: Record<string, number> }[] = []
  for (let r = 0; r < ROWS; r++) {
    if (r % 11 && r < LAST) continue
    const sums = device.run(device.compile(world.spec(r, 1), 1), 1)
    alone[r] = { results: world.results(r, 1), gradient: Array.from(device.read(world.gradient)), sums }
  }
  const ranges = [...COUNTS.map((count) => [0, count]), [17, 3], [LAST, ROWS - LAST]]
  for (const [from, count] of ranges) {
    world.spoil(0, ROWS, 7)
    device.run(device.compile(world.spec(from, count), count), count)
    const batch = world.results(from, count)
    for (let r = from; r < from + count; r++) {
      if (!alone[r]) continue
      const row = Object.entries(batch).map(([name, values]) => {
        const width = values.length / count
        return [name, values.slice((r - from) * width, (r - from + 1) * width)] as const
      })
      compare(subject, Object.fromEntries(row), alone[r].results, `of row ${r} of ${from} + ${count}`)
    }
    for (const [start, n] of [
      [0, from],
      [from + count, ROWS - from - count],
    ]) {
      for (const values of Object.values(world.results(start, n)))
        assert.ok(
          values.every((v) => v === 7),
          'rows outside the run are unchanged',
        )
    }
  }
  const sums = device.run(device.compile(world.spec(LAST, ROWS - LAST), ROWS - LAST), ROWS - LAST)
  for (const [name, value] of Object.entries(sums)) {
    const parts = alone.slice(LAST).map((row) => row.sums[name])
    close([value], [sum(parts)], 1e-6 * (1 + sum(parts.map(Math.abs))), `sum ${name} of rows alone`)
  }
  const parts = alone.slice(LAST).map(({ gradient }) => gradient)
  const total = parts[0].map((_, i) => sum(parts.map((part) => part[i])))
  const sizes = parts[0].map((_, i) => sum(parts.map((part) => Math.abs(part[i]))))
  close(
    device.read(world.gradient),
    total,
    (i) => gamma(ROWS - LAST) * sizes[i] + 1e-12,
    'gradient of rows alone',
  )
}

/** Rows that are not finite do not affect other rows. */
function checkOtherRows(device: Device, subject: Subject): void {
  const world = new World(device)
  const program = device.compile(world.spec(0, ROWS), ROWS)
  device.run(program, ROWS)
  const kept = [0, 5, 130, ROWS - 1]
  const want = kept.map((r) => world.results(r, 1))
  for (const [name, width] of Object.entries(INPUTS)) {
    const tensor = world.tensors[name as Name]
    const values = device.read(tensor)
    device.write(
      tensor,
      Array.from(values, (v, i) => (kept.includes(Math.floor(i / width)) ? v : NaN)),
    )
  }
  device.run(program, ROWS)
  kept.forEach((r, i) => compare(subject, world.results(r, 1), want[i], `of row ${r} among NaN`))
}

export const localityChecks: Checks = {
  'a row has the same results alone and in any batch': checkRowsAlone,
  'a row does not depend on other rows': checkOtherRows,
}
