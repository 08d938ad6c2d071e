import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { listCheckpoints } from '../../src/runs/checkpoint.js'
import { readMetrics } from '../../src/runs/metrics.js'
import { course, launch, train, until } from './command.js'
import { ITERATIONS, killAndResume, MOMENTS, start } from './kills.js'
import { fixture, temporaryDirectory } from './runs.js'

/** A run that does not load MuJoCo, for what concerns files and signals alone. */
const light = start(fixture('team'))
/** Flags of a run whose threads are of no concern. */
const alone = ['--workers', '0']

test('a run that is killed three times ends like an uninterrupted one', (t) =>
  killAndResume(t, [MOMENTS.firstIteration, MOMENTS.checkpoint, MOMENTS.lastCheckpoint]))

test('a finished run prints its result again, also if it was killed before writing it', (t) => {
  const dir = join(temporaryDirectory(t), 'run')
  const first = train(...light, ...alone, '--out', dir)
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.lines[1], /^evaluation -?\d+\.\d \+- \d+\.\d over 2 episodes$/)
  assert.match(first.lines[2], /^best checkpoint \d+, evaluation -?\d+\.\d \(--checkpoint best\)$/)
  assert.deepEqual(train('--resume', dir, ...alone).lines, first.lines)
  const result = readFileSync(join(dir, 'result.json'), 'utf8')
  rmSync(join(dir, 'result.json'))
  assert.deepEqual(train('--resume', dir, ...alone).lines, first.lines)
  assert.equal(readFileSync(join(dir, 'result.json'), 'utf8'), result)

  // A torn checkpoint is set aside, and the previous one resumes to the same result.
  const last = join(dir, 'checkpoints', String(ITERATIONS).padStart(6, '0'))
  const file = readdirSync(last).find((name) => name.endsWith('.safetensors'))!
  truncateSync(join(last, file), 100)
  rmSync(join(dir, 'result.json'))
  const torn = train('--resume', dir, ...alone)
  assert.equal(torn.code, 0, torn.stderr)
  assert.match(torn.stderr, /damaged/)
  assert.deepEqual(torn.lines, first.lines)
})

test('SIGINT writes a checkpoint and exits 130; the run resumes to the same result', async (t) => {
  const folder = temporaryDirectory(t)
  const expected = train(...light, ...alone, '--out', join(folder, 'whole'))
  const dir = join(folder, 'stopped')
  const { child, ended, kill } = launch(dir, light)
  await until(child, () => listCheckpoints(dir).length > 0)
  kill('SIGINT')
  assert.deepEqual((await ended)[0], 130)
  const made = readMetrics(join(dir, 'metrics.jsonl')).length
  assert.ok(made < ITERATIONS)
  assert.equal(listCheckpoints(dir).at(-1), made, 'a checkpoint of the last iteration made')
  assert.deepEqual(train('--resume', dir, ...alone).lines, expected.lines)
  assert.deepEqual(course(dir), course(join(folder, 'whole')))
})
