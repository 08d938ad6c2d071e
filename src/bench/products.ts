import type { HostDevice } from '../devices/host.js'
import { openHost } from '../devices/open.js'
import type { ProgramSpec } from '../devices/steps.js'
import type { Tensor } from '../devices/tensor.js'
import { readAssembly } from '../kernels/index.js'
import type { BenchOptions } from './options.js'
import { result, type Result } from './report.js'
import { takeTurns } from './turns.js'

/** Sizes of a layer's weight. */
interface Layer {
  readonly inputs: number
  readonly outputs: number
}

/** A piece of work of which the number of operations is known. */
interface Work {
  readonly name: string
  readonly operations: number
  readonly run: () => void
}

/** Passes per figure, of which the fastest counts: interruptions only add time. */
const PASSES = 10
/** Rounds of the peak's chains in one pass: about as long as a product. */
const PEAK_ROUNDS = 100_000

/** Layers of the policies and critics of the tasks. */
const LAYERS: readonly Layer[] = [
  { inputs: 128, outputs: 128 },
  { inputs: 19, outputs: 128 },
  { inputs: 393, outputs: 128 },
  { inputs: 128, outputs: 3 },
  { inputs: 128, outputs: 1 },
]

/** Rates of the matrix products on one thread, also relative to the peak of the engine's 128-bit vectors. */
export async function* benchProducts({
  rounds,
  batch,
}: Pick<BenchOptions, 'rounds' | 'batch'>): AsyncGenerator<Result> {
  const device = await openHost()
  const works = [await peak(), ...LAYERS.flatMap((layer) => products(device, batch, layer))]
  const rates = await takeTurns(
    works.map((work) => () => rateOf(work)),
    { rounds },
  )
  for (const [i, { name }] of works.entries()) {
    yield result(name, 'GFLOP/s', rates[i])
    if (i === 0) continue
    const shares = rates[i].map((rate, round) => (100 * rate) / rates[0][round])
    yield result(`${name}, share of the peak`, '%', shares)
  }
}

/** Billions of operations per second. */
function rateOf({ operations, run }: Work): number {
  let best = 0
  for (let pass = 0; pass < PASSES; pass++) {
    const begun = performance.now()
    run()
    best = Math.max(best, operations / (performance.now() - begun) / 1e6)
  }
  return best
}

async function peak(): Promise<Work> {
  const { instance } = await WebAssembly.instantiate(await readAssembly('peak'), {})
  const { chains, operations } = instance.exports as unknown as {
    chains(rounds: number, factor: number, summand: number): number
    operations(): number
  }
  return {
    name: 'peak of 128-bit vectors',
    operations: PEAK_ROUNDS * operations(),
    // A factor near 1 keeps the products from becoming denormal, which is slow.
    run: () => chains(PEAK_ROUNDS, 0.9999999, 0.01),
  }
}

/** The three products of a layer y = x w' + b; each packs the weight as it does in an update. */
function products(device: HostDevice, rows: number, { inputs, outputs }: Layer): Work[] {
  const x = noise(device, rows * inputs)
  const y = noise(device, rows * outputs)
  const weight = noise(device, inputs * outputs)
  const bias = noise(device, outputs)
  const gradient = device.tensor('f32', inputs * outputs + outputs)
  const forward = device.tensor('f32', rows * outputs)
  const backward = device.tensor('f32', rows * inputs)
  const specs: Record<string, ProgramSpec> = {
    forward: { rows: [{ op: 'linear', x, inputs, weight, bias, y: forward, outputs, accumulate: false }] },
    'weight gradient': {
      rows: [{ op: 'linearWeights', x, inputs, gy: y, outputs, weight: 0, bias: inputs * outputs }],
      gradient,
    },
    'input gradient': { rows: [{ op: 'linearAdjoint', gy: y, outputs, weight, gx: backward, inputs }] },
  }
  return Object.entries(specs).map(([name, spec]) => {
    const program = device.compile(spec, rows)
    return {
      name: `${name} ${inputs} to ${outputs}`,
      operations: 2 * rows * inputs * outputs,
      run: () => void device.run(program, rows),
    }
  })
}

/** Streams of random numbers drawn so far. */
let streams = 0

function noise(device: HostDevice, length: number): Tensor {
  const tensor = device.tensor('f32', length)
  device.kernels.exports.fillNormals(device.addressOf(tensor), length, 1, 0, 0, streams++, 0)
  return tensor
}
