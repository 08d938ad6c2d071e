import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { RandomStream } from '../../src/envs/random.js'
import { checkpoints, course, launch, train, until } from './command.js'
import { temporaryDirectory, tiny } from './runs.js'

export const ITERATIONS = 20
const settings = [
  'checkpoint.every=2',
  'evaluation.every=10',
  'evaluation.episodes=2',
  `steps=${ITERATIONS * 80}`,
]

/** Flags of a run of `ITERATIONS` iterations. */
export const start = (env: string) => ['--env', env, '--algo', 'happo', '--set', ...tiny, ...settings]

/** Waits for the moment to kill the run in a folder, or for its end. */
type Moment = (dir: string, child: { exitCode: number | null }, random: () => number) => Promise<unknown>

const exists =
  (name: string): Moment =>
  (dir, child) =>
    until(child, () => existsSync(join(dir, name)))

/** Moments to kill a run of `ITERATIONS` iterations at. */
export const MOMENTS = {
  started: exists('config.json'),
  // There is no checkpoint yet.
  firstIteration: exists('metrics.jsonl'),
  // A checkpoint that is being written has another name.
  checkpoint: (dir, child) => until(child, () => checkpoints(dir).some((name) => !/^\d{6}$/.test(name))),
  // The result is not written yet.
  lastCheckpoint: (dir, child) =>
    until(child, () => checkpoints(dir).includes(String(ITERATIONS).padStart(6, '0'))),
  any: (_dir, _child, random) => sleep(random()),
} satisfies Record<string, Moment>

/**
 * Kills a run at each of these moments. One that ends before its moment is replaced by another run, and all of them end
 * as one that is not killed.
 */
export async function killAndResume(t: TestContext, moments: readonly Moment[]): Promise<void> {
  const run = start('mamujoco/HalfCheetah-2x3')
  const folder = temporaryDirectory(t)
  const whole = join(folder, 'whole')
  const begun = performance.now()
  const expected = train(...run, '--out', whole)
  const duration = performance.now() - begun
  assert.equal(expected.code, 0, expected.stderr)
  assert.equal(expected.lines.length, 4)

  const random = new RandomStream(2024, 1)
  const kills = moments.length
  let killed = 0
  let folders = 0
  let dir = join(folder, `killed-${folders}`)
  for (let k = 0; killed < kills; k++) {
    assert.ok(k < 4 * kills, 'the run ends before it can be killed')
    const { child, ended, kill } = launch(dir, run)
    await moments[k % kills](dir, child, () => random.uniform() * duration)
    kill('SIGKILL')
    const [code] = await ended
    if (code === null) killed++
    else assert.equal(code, 0)
    if (killed < kills && !existsSync(join(dir, 'result.json'))) continue
    const resumed = train('--resume', dir)
    assert.equal(resumed.code, 0, resumed.stderr)
    assert.deepEqual(resumed.lines, expected.lines)
    assert.deepEqual(course(dir), course(whole))
    assert.equal(readFileSync(join(dir, 'eval.json'), 'utf8'), readFileSync(join(whole, 'eval.json'), 'utf8'))
    dir = join(folder, `killed-${++folders}`)
  }
  t.diagnostic(`${killed} kills in ${folders} runs of ${Math.round(duration)} ms`)
}
