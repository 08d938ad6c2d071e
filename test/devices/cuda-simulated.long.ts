import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { fillWithNoise } from '../../src/bench/synthetic.js'
import { CudaDevice } from '../../src/devices/cuda/device.js'
import { allocate } from '../../src/devices/tensor.js'
import { makeEnvFactory } from '../../src/envs/index.js'
import { TeamLearner } from '../../src/training/learner.js'
import { temporaryDirectory, tinyConfig } from '../training/runs.js'
import { checkGoldenFiles, checkTraining, METHODS, TF32_BOUND, tf32Bound } from './cuda/checks.js'
import { buildScript, nvccIsMissing, openSimulation, source } from './cuda/simulation.js'
import { deviceSuite } from './suite.js'

// As in cuda.test.ts, the simulated driver runs the device's kernels on the CPU.
const simulation = await openSimulation()
const skip = simulation ? false : 'no C++ compiler: g++ or clang++'
const { simulate, simulateNothing, countCalls } = simulation ?? ({} as NonNullable<typeof simulation>)

test('device cuda:tf32, on the CPU', { skip }, (t) =>
  deviceSuite(t, async () => ({
    device: new CudaDevice({ tf32: true }),
    accuracy: 'tf32',
    array: allocate,
    close: async () => {},
  })),
)

test("cuda: HARL's numbers within the bounds suggested by the files", { skip }, () =>
  checkGoldenFiles('cuda'),
)

test("cuda:tf32: HARL's numbers within the bounds of TF32", { skip }, () =>
  checkGoldenFiles('cuda:tf32', tf32Bound),
)

for (const method of METHODS)
  test(`cuda: ${method[0]} takes the steps of the default device`, { skip }, async (t) => {
    t.after(simulateNothing)
    // Another order of threads between barriers, on which results must not depend.
    await checkTraining(t, method, { between: () => simulate('order', 1) })
  })

for (const method of METHODS)
  test(`cuda:tf32: ${method[0]} takes the steps of the default device`, { skip }, (t) =>
    checkTraining(t, method, { device: 'cuda:tf32', bound: TF32_BOUND }),
  )

/** Functions of the driver that an update calls, by kind. */
const CALLS = {
  launches: ['cuLaunchKernel'],
  graphs: ['cuGraphLaunch'],
  copies: ['cuMemcpyHtoDAsync_v2', 'cuMemcpyDtoHAsync_v2', 'cuMemcpyDtoDAsync_v2', 'cuMemsetD8Async'],
  waits: ['cuStreamSynchronize'],
}

/** Calls of an update per agent, with one trial of the line search: the difference between three agents and two. */
async function callsPerAgent([algo, ...set]: readonly string[]): Promise<number[]> {
  const counts = () =>
    Object.values(CALLS).map((names) => names.reduce((sum, name) => sum + countCalls(name), 0))
  const updates = []
  for (const id of ['mamujoco/HalfCheetah-2x3', 'mamujoco/HalfCheetah-3x2']) {
    const config = tinyConfig({ id }, 1, `algo=${algo}`, ...set, 'device=cuda')
    const learner = await TeamLearner.create(config, makeEnvFactory({ id }).spec)
    fillWithNoise(learner)
    // Sequences are recorded on their second use.
    for (let i = 1; i <= 3; i++) learner.method.improve(i, 0)
    const before = counts()
    const { turns } = learner.method.improve(4, 0)
    assert.ok(turns.every(({ lineSearchTrials = 1 }) => lineSearchTrials === 1))
    updates.push(counts().map((n, i) => n - before[i]))
    learner.close()
  }
  const [two, three] = updates
  return three.map((n, i) => n - two[i])
}

test('cuda: calls of the driver for each agent are those of docs/cuda.md', { skip }, async () => {
  const page = readFileSync(new URL('../../../docs/cuda.md', import.meta.url), 'utf8')
  for (const method of [['hatrpo'], ['happo', 'clipped.epochs=5']]) {
    const calls = await callsPerAgent(method)
    const row = `| ${method[0]} | ${[...calls, calls.reduce((sum, n) => sum + n)].join(' | ')} |`
    assert.ok(page.includes(row), row)
  }
})

const kernels = /\.launch\('(\w+)'|\.#(?:elements|statistic|partial)\('(\w+)'|call\('(\w+)'/g

test('cuda: nvcc compiles the kernels to PTX of the stated version', { skip: nvccIsMissing() }, async (t) => {
  const { buildPtx } = await buildScript()
  const text = readFileSync(await buildPtx(temporaryDirectory(t)), 'utf8')
  assert.match(text, /^\.version 7\.4\n\.target sm_80\n/)
  const entries = Array.from(text.matchAll(/^\.visible \.entry (\w+)/gm), ([, name]) => name)
  const sources = ['device', 'program', 'solver'].map(source).join('')
  const used = Array.from(sources.matchAll(kernels), ([, ...names]) => names.find((name) => name)!)
  assert.deepEqual([...new Set(used)].sort(), entries.sort())
})
