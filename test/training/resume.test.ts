import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { RandomStream } from '../../src/envs/random.js'
import { listCheckpoints } from '../../src/runs/checkpoint.js'
import { readMetrics } from '../../src/runs/metrics.js'
import { checkpoints, course, launch, train, until } from './command.js'
import { fixture, temporaryDirectory, tiny } from './runs.js'

const ITERATIONS = 30
const KILLS = 7
const settings = [
  'checkpoint.every=2',
  'evaluation.every=10',
  'evaluation.episodes=2',
  `steps=${ITERATIONS * 80}`,
]
const start = (env: string) => ['--env', env, '--algo', 'happo', '--set', ...tiny, ...settings]
const run = start('mamujoco/HalfCheetah-2x3')
/** A run that does not load MuJoCo, for what concerns files and signals alone. */
const light = start(fixture('team'))
/** Flags of a run whose threads are of no concern. */
const alone = ['--workers', '0']

test('a run that is killed seven times ends as one that never was', async (t) => {
  const folder = temporaryDirectory(t)
  const whole = join(folder, 'whole')
  const begun = performance.now()
  const expected = train(...run, '--out', whole)
  const duration = performance.now() - begun
  assert.equal(expected.code, 0, expected.stderr)
  assert.equal(expected.lines.length, 4)

  const random = new RandomStream(2024, 1)
  const moments: ((dir: string, child: { exitCode: number | null }) => Promise<unknown>)[] = [
    // before there is a checkpoint
    (dir, child) => until(child, () => existsSync(join(dir, 'config.json'))),
    (dir, child) => until(child, () => existsSync(join(dir, 'metrics.jsonl'))),
    // while one is written: it has another name then
    ...[0, 1, 2].map(
      () => (dir: string, child: { exitCode: number | null }) =>
        until(child, () => checkpoints(dir).some((name) => !/^\d{6}$/.test(name))),
    ),
    // between the last one and the result
    (dir, child) => until(child, () => checkpoints(dir).includes(String(ITERATIONS).padStart(6, '0'))),
  ]
  while (moments.length < KILLS) moments.push(() => sleep(random.uniform() * duration))

  let killed = 0
  let folders = 0
  let dir = join(folder, `killed-${folders}`)
  for (let k = 0; killed < KILLS; k++) {
    assert.ok(k < 4 * KILLS, 'the run ends before it can be killed')
    const { child, ended, kill } = launch(dir, run)
    await moments[k % KILLS](dir, child)
    kill('SIGKILL')
    const [code] = await ended
    if (code === null) killed++
    else assert.equal(code, 0)
    if (killed < KILLS && !existsSync(join(dir, 'result.json'))) continue
    const resumed = train('--resume', dir)
    assert.equal(resumed.code, 0, resumed.stderr)
    assert.deepEqual(resumed.lines, expected.lines)
    assert.deepEqual(course(dir), course(whole))
    assert.equal(readFileSync(join(dir, 'eval.json'), 'utf8'), readFileSync(join(whole, 'eval.json'), 'utf8'))
    dir = join(folder, `killed-${++folders}`)
  }
  t.diagnostic(`${killed} kills in ${folders} runs of ${Math.round(duration)} ms`)
})

test('a finished run prints its result again, also when it was ended before it wrote it', (t) => {
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

  // A torn checkpoint is set aside, and the one before it goes on to the same end.
  const last = join(dir, 'checkpoints', String(ITERATIONS).padStart(6, '0'))
  const file = readdirSync(last).find((name) => name.endsWith('.safetensors'))!
  truncateSync(join(last, file), 100)
  rmSync(join(dir, 'result.json'))
  const torn = train('--resume', dir, ...alone)
  assert.equal(torn.code, 0, torn.stderr)
  assert.match(torn.stderr, /damaged/)
  assert.deepEqual(torn.lines, first.lines)
})

test('SIGINT writes a checkpoint and exits 130; the run goes on to the same end', async (t) => {
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
  assert.deepEqual(train('--resume', dir).lines, expected.lines)
  assert.deepEqual(course(dir), course(join(folder, 'whole')))
})
