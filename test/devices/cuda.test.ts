import assert from 'node:assert/strict'
import test from 'node:test'
import { CudaDevice } from '../../src/devices/cuda/device.js'
import { comparableDevices, listDevices, openDevice, openHost } from '../../src/devices/open.js'
import type { RowStep } from '../../src/devices/steps.js'
import { allocate } from '../../src/devices/tensor.js'
import { close } from '../reference/close.js'
import { dot, gamma, normals, rowsOf } from '../reference/dense.js'
import { fixture, tinyConfig, trained } from '../training/runs.js'
import { openSimulation } from './cuda/simulation.js'
import { deviceSuite } from './suite.js'
import { f32 } from './suite/setup.js'
import { linearSystem } from './suite/solve.js'

// The simulated driver runs the device's kernels on the CPU. All other code is the code that runs on a GPU.
const simulation = await openSimulation()
const skip = simulation ? false : 'no C++ compiler: g++ or clang++'
const { simulate, simulateNothing, countLaunches, countCalls, countHeld } =
  simulation ?? ({} as NonNullable<typeof simulation>)

test('device cuda, on the CPU', { skip }, (t) =>
  deviceSuite(t, async () => ({
    device: new CudaDevice(),
    accuracy: 'f32',
    array: allocate,
    close: async () => {},
  })),
)

test('cuda: launches of a solve are recorded and replayed with the same bits', { skip }, () => {
  const device = new CudaDevice()
  const { linear } = linearSystem(device, 60, normals(12, 2))
  const options = { iterations: 4, tolerance: 1e-12 }
  const solutions = [1, 2, 3].map(() => {
    const before = [countLaunches(), countCalls('cuLaunchKernel'), countCalls('cuGraphLaunch')]
    const result = device.solve(linear, options)
    const after = [countLaunches(), countCalls('cuLaunchKernel'), countCalls('cuGraphLaunch')]
    return { result, x: device.read(linear.x), counts: after.map((n, i) => n - before[i]) }
  })
  // Per iteration: direction, rows, sum of the gradient, curvature, advance. Before and after: start and gain.
  assert.deepEqual(
    solutions.map(({ counts }) => counts),
    [
      [22, 22, 0],
      // Recording launches nothing.
      [22, 22, 1],
      [22, 0, 1],
    ],
  )
  const [first, ...later] = solutions.map(({ result, x }) => ({ result, x }))
  for (const solution of later) assert.deepEqual(solution, first)
  const shorter = device.solve(linear, { ...options, iterations: 2 })
  assert.deepEqual(shorter.residuals, first.result.residuals.slice(0, 2), 'another number of iterations')
})

test('cuda: a closed device has released everything', { skip }, () => {
  const before = countHeld()
  const device = new CudaDevice()
  const { linear } = linearSystem(device, 60, normals(12, 2))
  for (let i = 0; i < 2; i++) device.solve(linear, { iterations: 4, tolerance: 1e-12 })
  device.tensor('f32', 2 ** 21)
  assert.ok(countHeld() > before)
  device.close()
  assert.equal(countHeld(), before)
})

/** Nearest numbers with 11 significant bits, ties away from zero. */
function tf32(values: Float32Array): Float32Array {
  const bits = Uint32Array.from(new Uint32Array(values.buffer), (word) => (word + 0x1000) & ~0x1fff)
  return new Float32Array(bits.buffer)
}

test('cuda:tf32: products are those of factors with 11 significant bits', { skip }, () => {
  const device = new CudaDevice({ tf32: true })
  for (const [rows, inputs, outputs] of [
    [40, 19, 3],
    [70, 35, 150],
  ]) {
    const [x, w] = [normals(rows * inputs, 1), normals(outputs * inputs, 2)]
    // Halfway between two numbers.
    x.set([1 + 2 ** -11, -1 - 2 ** -11, 1 + 3 * 2 ** -11])
    const [y, weight] = [device.tensor('f32', rows * outputs), f32(device, w)]
    const shape = { x: f32(device, x), inputs, weight, outputs }
    const steps: RowStep[] = [{ op: 'linear', ...shape, bias: null, y, accumulate: false }]
    device.run(device.compile({ rows: steps }, rows), rows)
    const [xs, ws] = [tf32(x), tf32(w)].map((values) => rowsOf(values, inputs))
    const want = xs.flatMap((row) => ws.map((column) => dot(row, column)))
    const sizes = xs.flatMap((row) => ws.map((column) => dot(row.map(Math.abs), column.map(Math.abs))))
    close(device.read(y), want, (i) => gamma(inputs) * sizes[i], `${rows} x ${inputs} x ${outputs}`)
  }
})

const reasons: readonly [string, number, RegExp][] = [
  ['driver', 11_020, /^the NVIDIA driver is too old: it supports CUDA 11\.2, the kernels need CUDA 11\.4 /],
  ['devices', 0, /^no GPU: the NVIDIA driver finds none/],
  ['cuInit', 100, /^no GPU: /],
  ['cuInit', 999, /^the NVIDIA driver does not start \(error 999\)$/],
  ['capability', 7, /^the GPU is too old: its compute capability is 7, the kernels need 8\.0 \(Ampere\)/],
]

test('cuda: the list of devices gives the reason why it cannot be used', { skip }, async (t) => {
  t.after(simulateNothing)
  const state = async () => (await listDevices()).find(({ id }) => id === 'cuda')!
  assert.deepEqual([(await state()).usable, (await state()).reason], [true, null])
  const compared = await comparableDevices()
  assert.deepEqual(
    ['cuda:f32', 'cuda:tf32'].map((id) => compared.includes(id)),
    [true, false],
    'auto does not choose the less accurate variant',
  )
  for (const [name, value, line] of reasons) {
    simulate(name, value)
    const { usable, reason } = await state()
    assert.equal(usable, false, name)
    assert.match(reason!, line)
    await assert.rejects(openDevice('cuda', await openHost()), { name: 'HatrpoError', exitCode: 2 })
    simulateNothing()
  }
  for (const [variable, line] of [
    ['CUDA_DRIVER_LIBRARY', /^no NVIDIA driver: \/none cannot be loaded/],
    ['CUDA_KERNELS', /^its kernels are not built: npm run build:cuda, which needs nvcc/],
  ] as const) {
    const before = process.env[variable]
    process.env[variable] = '/none'
    assert.match((await state()).reason!, line)
    process.env[variable] = before
  }
})

test('cuda: a failure of the driver is an error of one line', { skip }, async (t) => {
  t.after(simulateNothing)
  const fails = (name: string, code: number, act: () => void, line: RegExp) => {
    simulate(name, code)
    assert.throws(act, (error: Error) => error.name === 'HatrpoError' && line.test(error.message), name)
    simulateNothing()
  }
  const device = new CudaDevice()
  const x = device.tensor('f32', 4)
  const large = () => device.tensor('f32', 2 ** 28)
  fails('cuMemAlloc_v2', 2, large, /out of GPU memory: 1024 MB more are needed, 1 MB of 1024 MB are free;/)
  fails('cuStreamSynchronize', 719, () => device.sum(x), /the GPU has stopped, .* error 719/)
  fails('cuLaunchKernel', 700, () => device.fill(x, 1), /the GPU has stopped/)
  fails('cuModuleLoadDataEx', 209, () => new CudaDevice(), /does not load the kernels \(error 209\)/)
  fails('cuDevicePrimaryCtxRetain', 46, () => new CudaDevice(), /in use by other processes/)
  const config = tinyConfig({ id: fixture('rough') }, 2, 'device=cuda')
  const before = countHeld()
  simulate('cuGraphLaunch', 719)
  await assert.rejects(trained(t, config), /^HatrpoError: device cuda: the GPU has stopped/)
  assert.equal(countHeld(), before, 'a failed run closes its device')
})
