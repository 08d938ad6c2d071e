import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { CheckpointData } from '../../src/runs/checkpoint.js'
import { resolveConfig, type TrainConfig } from '../../src/config/index.js'
import type { EvaluationRecord, IterationRecord } from '../../src/runs/types.js'

/** A directory that is deleted when the test ends. */
export function temporaryDirectory(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'hatrpo-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A configuration of ten iterations of 4000 steps. */
export function testConfig(...set: string[]): TrainConfig {
  return resolveConfig({
    set: ['env.id=mamujoco/HalfCheetah-2x3', 'algo=hatrpo', 'steps=40000', ...set],
  }).config
}

export function iterationRecord(iteration: number): IterationRecord {
  return {
    iteration,
    steps: iteration * 4000,
    seconds: 0.5,
    stepsPerSecond: 8000,
    episodeReturn: iteration % 2 ? { mean: 10 * iteration, count: 4 } : null,
    agents: [
      {
        id: 'agent_0',
        klUsed: 0.009,
        klAllowed: 0.01,
        accepted: true,
        rejectedSteps: 0,
        rejection: null,
        factorSpread: { min: 0.5, max: 2, sd: 0.25 },
        entropy: 1.5,
      },
    ],
    critic: { loss: 0.125, explainedVariance: 0.75, gradNorm: 3, skippedSteps: 0 },
    time: { physics: 0.5, policy: 0.25, learner: 0.125, rest: 0.125 },
    faults: { workerRestarts: 0, environmentRestarts: 0, brokenSteps: 0 },
  }
}

export function evaluationRecord(iteration: number, mean: number): EvaluationRecord {
  return { iteration, steps: iteration * 4000, returns: [mean - 1, mean + 1], mean, sd: 1 }
}

export function checkpointData(iteration: number): CheckpointData {
  return {
    tensors: {
      'actors/agent_0': Float32Array.of(iteration, 0.1, -0),
      'actors/agent_1': Float32Array.of(iteration, 0.2),
      'optimiser/critic.m': Float64Array.of(1 / 3, iteration),
      'environments/counters': Uint32Array.of(4294967295, iteration),
      'environments/order': Int32Array.of(-2147483648, iteration),
      'environments/state_0': Uint8Array.of(255, 0, 7),
    },
    state: { iteration, largest: Number.MAX_SAFE_INTEGER, names: ['a', null, true] },
  }
}

/** Asserts an error for people: one line that contains all `words`. */
export function saying(...words: string[]): (error: Error) => boolean {
  return (error) => {
    if (error.name !== 'HatrpoError') throw error
    const missing = words.filter((word) => !error.message.includes(word))
    if (missing.length > 0 || error.message.includes('\n'))
      throw new Error(
        `the message "${error.message}" lacks ${missing.join(', ') || 'nothing, but has several lines'}`,
      )
    return true
  }
}
