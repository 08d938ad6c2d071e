import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { temporaryDirectory } from '../training/runs.js'
import { checkGoldenFiles, checkTraining, METHODS } from './cuda/checks.js'
import { buildScript, nvccIsMissing, openSimulation, source } from './cuda/simulation.js'

// As in cuda.test.ts, the library that stands for the driver runs the device's kernels on the CPU.
const simulation = await openSimulation()
const skip = simulation ? false : 'no C++ compiler: g++ or clang++'
const { simulate, simulateNothing } = simulation ?? ({} as NonNullable<typeof simulation>)

test("cuda: HARL's numbers within the bounds that the files suggest", { skip }, checkGoldenFiles)

for (const method of METHODS)
  test(`cuda: ${method[0]} takes the steps of the default device`, { skip }, async (t) => {
    t.after(simulateNothing)
    // The order of threads between barriers, which no result depends on.
    await checkTraining(t, method, () => simulate('order', 1))
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
