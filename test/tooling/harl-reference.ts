/**
 * HARL's formulas in plain float64, written from their definitions and differentiated by central differences: what
 * golden files of other sizes and activations would hold. Slow, for small networks only.
 */

/** A sample's log-probability, value and so on do not matter here: just a network with LayerNorm after each layer. */
export interface ReferenceNetwork {
  readonly inputs: number
  readonly hidden: readonly number[]
  readonly outputs: number
  readonly activation: string
  readonly featureNorm: boolean
  /** Gaussian actors have a log_std before the head. */
  readonly gaussian: boolean
}

export interface Parameter {
  readonly name: string
  readonly shape: number[]
  readonly offset: number
  readonly size: number
}

/** torch's definitions. */
const activations: Readonly<Record<string, (z: number) => number>> = {
  relu: (z) => Math.max(0, z),
  tanh: Math.tanh,
  sigmoid: (z) => 1 / (1 + Math.exp(-z)),
  leaky_relu: (z) => (z > 0 ? z : 0.01 * z),
  selu: (z) => 1.0507009873554805 * (z > 0 ? z : 1.6732632423543772 * Math.expm1(z)),
  elu: (z) => (z > 0 ? z : Math.expm1(z)),
  gelu: (z) => 0.5 * z * (1 + erf(z * Math.SQRT1_2)),
  silu: (z) => z / (1 + Math.exp(-z)),
}
export const activationNames = Object.keys(activations)

/** The error function by its Maclaurin series, to about 1e-10 where |x| < 4. */
function erf(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

/** The flat vector of HARL's modules, in torch's order. */
export function parametersOf(net: ReferenceNetwork): Parameter[] {
  const list: Parameter[] = []
  const add = (name: string, ...shape: number[]) => {
    const last = list.at(-1)
    const offset = last ? last.offset + last.size : 0
    list.push({ name, shape, offset, size: shape.reduce((a, b) => a * b, 1) })
  }
  if (net.featureNorm) {
    add('base.feature_norm.weight', net.inputs)
    add('base.feature_norm.bias', net.inputs)
  }
  let width = net.inputs
  net.hidden.forEach((units, i) => {
    add(`base.mlp.fc.${3 * i}.weight`, units, width)
    add(`base.mlp.fc.${3 * i}.bias`, units)
    add(`base.mlp.fc.${3 * i + 2}.weight`, units)
    add(`base.mlp.fc.${3 * i + 2}.bias`, units)
    width = units
  })
  if (net.gaussian) add('act.action_out.log_std', net.outputs)
  add('head.weight', net.outputs, width)
  add('head.bias', net.outputs)
  return list
}

/** The network's output for one input. */
export function forward(net: ReferenceNetwork, p: ArrayLike<number>, input: readonly number[]): number[] {
  let at = 0
  const linear = (x: readonly number[], outputs: number): number[] => {
    const weight = at
    at += outputs * x.length
    const y = Array.from({ length: outputs }, (_, o) =>
      x.reduce((sum, xi, i) => sum + xi * p[weight + o * x.length + i], p[at + o]),
    )
    at += outputs
    return y
  }
  const layerNorm = (x: readonly number[]): number[] => {
    const mean = x.reduce((sum, xi) => sum + xi, 0) / x.length
    const variance = x.reduce((sum, xi) => sum + (xi - mean) ** 2, 0) / x.length
    const y = x.map((xi, i) => ((xi - mean) / Math.sqrt(variance + 1e-5)) * p[at + i] + p[at + x.length + i])
    at += 2 * x.length
    return y
  }
  let x = net.featureNorm ? layerNorm(input) : Array.from(input)
  for (const units of net.hidden) x = layerNorm(linear(x, units).map(activations[net.activation]))
  if (net.gaussian) at += net.outputs
  return linear(x, net.outputs)
}

/** Derivatives of f at p by central differences. */
export function gradientOf(f: (p: Float64Array) => number, p: Float64Array): Float64Array {
  const h = 1e-5
  const moved = p.slice()
  return p.map((value, i) => {
    moved[i] = value + h
    const up = f(moved)
    moved[i] = value - h
    const down = f(moved)
    moved[i] = value
    return (up - down) / (2 * h)
  })
}

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0)

export const plus = (a: Float64Array, scale: number, b: ArrayLike<number>): Float64Array<ArrayBuffer> =>
  Float64Array.from(a, (x, i) => x + scale * b[i])

/** Float32 numbers of mean 0, the same for the same seed. */
export function noise(seed: number, length: number, scale: number): number[] {
  let state = seed
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return Array.from({ length }, () => Math.fround(scale * (uniform() + uniform() + uniform() - 1.5)))
}

/** A Gaussian policy and samples of it. */
export class ReferencePolicy {
  readonly net: ReferenceNetwork
  readonly parameters: Parameter[]
  readonly stdX: number
  readonly stdY: number
  readonly observations: number[][]
  readonly actions: number[][]
  readonly #logStd: number

  constructor(
    net: ReferenceNetwork,
    std: { x: number; y: number },
    observations: number[][],
    actions: number[][],
  ) {
    this.net = net
    this.parameters = parametersOf(net)
    this.#logStd = this.parameters.find(({ name }) => name.endsWith('log_std'))!.offset
    this.stdX = std.x
    this.stdY = std.y
    this.observations = observations
    this.actions = actions
  }

  sigmas(p: ArrayLike<number>): number[] {
    return Array.from({ length: this.net.outputs }, (_, j) => this.#sigmoid(p, j) * this.stdY)
  }

  means(p: ArrayLike<number>): number[][] {
    return this.observations.map((observation) => forward(this.net, p, observation))
  }

  /** log N(action; mean, sigma), per row and dimension. */
  logProbs(p: ArrayLike<number>): number[][] {
    const sigmas = this.sigmas(p)
    return this.means(p).map((mean, r) =>
      mean.map((m, j) => {
        const z = (this.actions[r][j] - m) / sigmas[j]
        return -0.5 * z * z - Math.log(sigmas[j]) - 0.5 * Math.log(2 * Math.PI)
      }),
    )
  }

  /** Ratios of joint probabilities to those given. */
  ratios(p: ArrayLike<number>, old: readonly number[][]): number[] {
    return this.logProbs(p).map((row, r) => Math.exp(row.reduce((sum, x, j) => sum + x - old[r][j], 0)))
  }

  entropy(p: ArrayLike<number>): number {
    return this.sigmas(p).reduce(
      (sum, sigma) => sum + 0.5 * Math.log(2 * Math.PI * Math.E * sigma * sigma),
      0,
    )
  }

  /** KL(old || new), mean over the rows. */
  kl(old: ArrayLike<number>, p: ArrayLike<number>): number {
    const [oldSigmas, sigmas] = [this.sigmas(old), this.sigmas(p)]
    const means = this.means(p)
    const rows = this.means(old).map((mean, r) =>
      mean.reduce((sum, m, j) => {
        const variances = oldSigmas[j] ** 2 + (m - means[r][j]) ** 2
        return sum + Math.log(sigmas[j] / oldSigmas[j]) + variances / (2 * sigmas[j] ** 2) - 0.5
      }, 0),
    )
    return rows.reduce((sum, x) => sum + x, 0) / rows.length
  }

  /** v -> (F + damping) v with F the Fisher matrix, mean over the rows. */
  fisher(p: Float64Array, damping: number): (v: ArrayLike<number>) => Float64Array {
    const sigmas = this.sigmas(p)
    const rows = this.observations.length
    const jacobian = this.observations.flatMap((observation) =>
      sigmas.map((_, j) => gradientOf((q) => forward(this.net, q, observation)[j], p)),
    )
    return (v) => {
      let product = Float64Array.from(v, (x) => damping * x)
      jacobian.forEach((row, k) => {
        product = plus(product, dot(row, v) / (sigmas[k % sigmas.length] ** 2 * rows), row)
      })
      sigmas.forEach((_, j) => {
        const slope = (1 - this.#sigmoid(p, j)) / this.stdX
        product[this.#logStd + j] += 2 * slope * slope * v[this.#logStd + j]
      })
      return product
    }
  }

  #sigmoid(p: ArrayLike<number>, j: number): number {
    return 1 / (1 + Math.exp(-p[this.#logStd + j] / this.stdX))
  }
}
