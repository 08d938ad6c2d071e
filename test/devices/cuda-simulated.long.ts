import test from 'node:test'
import { checkGoldenFiles, checkTraining, METHODS } from './cuda/checks.js'
import { openSimulation } from './cuda/simulation.js'

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
