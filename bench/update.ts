// One HATRPO update of one agent (HalfCheetah-2x3: batch 4000, observation 17 + 2, 3 actions), split into gradient,
// conjugate gradient and line search, with 1 and 2 threads; and the three matrix products at 128 x 128.
//   node dist/bench/update.js [--json]
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ProgramSpec } from '../src/devices/steps.js'
import type { HostDevice } from '../src/devices/host.js'
import { openHost } from '../src/devices/open.js'
import { PolicyBatch } from '../src/learner/batch.js'
import { gaussianHead } from '../src/learner/heads/gaussian.js'
import type { PolicySpec } from '../src/learner/heads/head.js'
import { PolicyEvaluation, trainedPolicy } from '../src/learner/policy.js'
import { TrustRegionStep } from '../src/learner/trust-region.js'
import { initialParameters } from '../src/nn/initialise.js'
import { Network } from '../src/nn/network.js'
import { host, printJson, result, type Result } from './report.js'

const ROWS = 4000
const UPDATES = 15
const PRODUCTS = 40
const WARM_UP = 2
const DELTA = 0.01
const OPTIONS = {
  damping: 0.1,
  cgIterations: 10,
  cgTolerance: 1e-10,
  lineSearchSteps: 10,
  backtrack: 0.8,
  acceptRatio: 0.5,
}

/** Fills an array with normal numbers that depend on the stream alone. */
const normals = (device: HostDevice, stream: number) => (out: Float32Array) => {
  const values = device.tensor('f32', out.length)
  device.kernels.exports.fillNormals(device.addressOf(values), out.length, 1, 0, 0, stream, 0)
  out.set(device.f32(values))
}

function tensorOfNormals(device: HostDevice, length: number, stream: number) {
  const tensor = device.tensor('f32', length)
  normals(device, stream)(device.f32(tensor))
  return tensor
}

/** Milliseconds of the parts of UPDATES updates from the same start. */
function timeUpdates(device: HostDevice, hidden: number[]) {
  const spec: PolicySpec = {
    input: { size: 17, agentId: { index: 0, count: 2 }, standardise: true, layerNorm: true },
    hidden,
    activation: 'relu',
    head: gaussianHead(3, { stdX: 1, stdY: 0.5 }),
  }
  const start = initialParameters(spec, 0.01, (stream) => normals(device, stream))
  const parameters = device.tensor('f32', start.length)
  const batch = new PolicyBatch(device, ROWS, {
    observations: tensorOfNormals(device, ROWS * spec.input.size, 100),
    actions: tensorOfNormals(device, ROWS * spec.head.size, 101),
    logProb: device.tensor('f32', ROWS),
  })
  normals(device, 102)(device.f32(batch.factor))
  const policy = trainedPolicy(device, new Network(device, spec, ROWS), parameters)
  const step = new TrustRegionStep(policy, batch, OPTIONS)
  device.write(parameters, start)
  new PolicyEvaluation(policy, batch, false).evaluate(ROWS)
  device.copy(batch.newLogProb, batch.logProb)

  const times = {
    gradient: [] as number[],
    solve: [] as number[],
    search: [] as number[],
    whole: [] as number[],
  }
  let trials = 0
  for (let repeat = -WARM_UP; repeat < UPDATES; repeat++) {
    device.write(parameters, start)
    const begun = performance.now()
    const { surrogate, valid } = step.differentiate(ROWS)
    const differentiated = performance.now()
    const { curvature, residuals } = step.solve(ROWS)
    const solved = performance.now()
    const slope = device.dot(step.gradient, step.direction)
    const found = { rows: ROWS, valid, rejection: null, surrogate, curvature, slope, residuals }
    const outcome = step.commit(found, DELTA)
    const searched = performance.now()
    if (!outcome.accepted) throw new Error(`the update was rejected: ${String(outcome.rejection)}`)
    trials = outcome.trials.length
    if (repeat < 0) continue
    times.gradient.push(differentiated - begun)
    times.solve.push(solved - differentiated)
    times.search.push(searched - solved)
    times.whole.push(searched - begun)
  }
  return { ...times, trials }
}

/** GFLOP/s of y = x w', gw = gy' x and gx = gy w at 128 x 128, packing included. */
function timeProducts(device: HostDevice): Record<string, number[]> {
  const n = 128
  const [x, y] = [tensorOfNormals(device, ROWS * n, 200), tensorOfNormals(device, ROWS * n, 201)]
  const [weight, bias] = [tensorOfNormals(device, n * n, 202), tensorOfNormals(device, n, 203)]
  const gradient = device.tensor('f32', n * n + n)
  const out = device.tensor('f32', ROWS * n)
  const specs: Record<string, ProgramSpec> = {
    forward: { rows: [{ op: 'linear', x, inputs: n, weight, bias, y: out, outputs: n, accumulate: false }] },
    'weight gradient': {
      rows: [{ op: 'linearWeights', x, inputs: n, gy: y, outputs: n, weight: 0, bias: n * n }],
      gradient,
    },
    'input gradient': { rows: [{ op: 'linearAdjoint', gy: y, outputs: n, weight, gx: out, inputs: n }] },
  }
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => {
      const program = device.compile(spec, ROWS)
      const rates: number[] = []
      for (let repeat = -WARM_UP; repeat < PRODUCTS; repeat++) {
        const begun = performance.now()
        device.run(program, ROWS)
        if (repeat >= 0) rates.push((2 * ROWS * n * n) / (performance.now() - begun) / 1e6)
      }
      return [name, rates]
    }),
  )
}

const device = await openHost()
const results: Result[] = []
for (const threads of [1, 2]) {
  const team = `${threads} ${threads === 1 ? 'thread' : 'threads'}`
  const workerData = { ...device.shared, control: device.control }
  const helpers = Array.from(
    { length: threads - 1 },
    () => new Worker(new URL('./helper-thread.js', import.meta.url), { workerData }),
  )
  const exits = helpers.map((helper) => once(helper, 'exit'))
  await Promise.all(helpers.map((helper) => once(helper, 'message')))
  for (const hidden of [
    [128, 128],
    [128, 128, 128],
  ]) {
    const { whole, gradient, solve, search, trials } = timeUpdates(device, hidden)
    const name = `${hidden.join('-')}, ${team}`
    results.push(result(`HATRPO update ${name}`, 'ms', whole))
    results.push(result('  gradient', 'ms', gradient))
    results.push(result(`  conjugate gradient (${OPTIONS.cgIterations} products)`, 'ms', solve))
    results.push(result(`  line search (${trials} trials)`, 'ms', search))
  }
  for (const [name, rates] of Object.entries(timeProducts(device))) {
    results.push(result(`${name} 128 x 128, ${team}`, 'GFLOP/s', rates))
  }
  device.kernels.exports.dismiss(device.control, 1)
  await Promise.all(exits)
  device.kernels.exports.dismiss(device.control, 0)
}

if (process.argv.includes('--json')) printJson(results)
else {
  console.log(`batch ${ROWS} (${host.cpu}, Node ${host.node}): median, min, max`)
  for (const { name, unit, median, min, max } of results) {
    const figures = [median, min, max].map((value) => value.toFixed(1).padStart(8)).join('')
    console.log(`${name.padEnd(44)}${figures} ${unit}`)
  }
}
