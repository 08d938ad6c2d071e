import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { readMetrics } from '../../src/runs/metrics.js'
import { resolveConfig, type TrainConfig } from '../../src/config/index.js'
import type { IterationRecord, TrainOptions, TrainResult } from '../../src/runs/types.js'
import { train } from '../../src/training/train.js'

/** A directory that is deleted when the test ends. */
export function temporaryDirectory(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'hatrpo-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** The compiled module of an environment in test/training/fixtures. */
export const fixture = (name: string) => join(import.meta.dirname, 'fixtures', `${name}.js`)

/** Settings of networks and rollouts that take milliseconds. */
export const tiny = [
  'actor.hidden=[8]',
  'critic.hidden=[8]',
  'envs=4',
  'rolloutSteps=20',
  'evaluation.every=0',
]

/** A tiny configuration of some iterations. */
export function tinyConfig(env: TrainConfig['env'], iterations: number, ...set: string[]): TrainConfig {
  const flags = { env, algo: 'hatrpo' as const, steps: iterations * 80 }
  return resolveConfig({ flags, set: [...tiny, ...set] }).config
}

export interface Trained extends TrainResult {
  readonly events: readonly string[]
  readonly records: readonly IterationRecord[]
}

/** Whether an event is the warning of short vectors, which the state of the tiny teams gives rise to. */
export function isNarrow(event: string): boolean {
  return /^(state|observation)\b.* sees /.test(event)
}

/**
 * Trains in a separate folder. @returns the result, the events other than warnings of short vectors, and the records
 */
export async function trained(
  t: TestContext,
  config: TrainConfig,
  options: Partial<TrainOptions> = {},
): Promise<Trained> {
  const dir = options.dir ?? join(temporaryDirectory(t), 'run')
  const events: string[] = []
  const onEvent = (message: string) => {
    if (!isNarrow(message)) events.push(message)
  }
  const result = await train({ workers: 2, ...options, config, dir, onEvent })
  return { ...result, events, records: readMetrics(join(dir, 'metrics.jsonl')) }
}

/** Numbers of a record, in the order of its keys. */
export function numbersOf(value: unknown): number[] {
  if (typeof value === 'number') return [value]
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(numbersOf) : []
}
