import type { TestContext } from 'node:test'
import { boundedChecks } from './suite/bounded.js'
import { chunkChecks } from './suite/chunks.js'
import { checkClosed } from './suite/closed.js'
import { gaussianChecks } from './suite/gaussian.js'
import { gradientChecks } from './suite/gradients.js'
import { headChecks } from './suite/heads.js'
import { inputChecks } from './suite/input.js'
import { jacobianChecks } from './suite/jacobian.js'
import { layernormChecks } from './suite/layernorm.js'
import { localityChecks } from './suite/locality.js'
import { memoryChecks } from './suite/memory.js'
import { networkChecks } from './suite/network.js'
import { programChecks } from './suite/programs.js'
import { recurrentChecks } from './suite/recurrent.js'
import { scratchChecks } from './suite/scratch.js'
import type { Checks, Subject } from './suite/setup.js'
import { solveChecks } from './suite/solve.js'
import { statisticsChecks } from './suite/statistics.js'
import { valueChecks } from './suite/value.js'
import { vectorsChecks } from './suite/vectors.js'

export interface OpenDevice extends Subject {
  close(): Promise<void>
}

const CHECKS: Checks = {
  ...memoryChecks,
  ...vectorsChecks,
  ...statisticsChecks,
  ...inputChecks,
  ...networkChecks,
  ...layernormChecks,
  ...jacobianChecks,
  ...gaussianChecks,
  ...headChecks,
  ...boundedChecks,
  ...valueChecks,
  ...localityChecks,
  ...chunkChecks,
  ...recurrentChecks,
  ...programChecks,
  ...gradientChecks,
  ...scratchChecks,
  ...solveChecks,
}

/**
 * Tests of the contract of devices, as subtests of `t`. Results are compared with f64 arithmetic to the accuracy of f32.
 * Results that the contract requires to be the same are compared to the device's stated accuracy. `open` is called once.
 */
export async function deviceSuite(t: TestContext, open: () => Promise<OpenDevice>): Promise<void> {
  const subject = await open()
  try {
    for (const [what, check] of Object.entries(CHECKS))
      await t.test(what, () => check(subject.device, subject))
    await t.test('every use of a closed device is an error', () => checkClosed(subject.device))
  } finally {
    await subject.close()
  }
}
