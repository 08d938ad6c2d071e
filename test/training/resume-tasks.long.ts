import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { partsOf, trainableAlgorithms } from '../../src/algorithms/parts.js'
import { algorithms } from '../../src/algorithms/table.js'
import { listEnvs, makeEnvFactory } from '../../src/envs/index.js'
import { RandomStream } from '../../src/envs/random.js'
import { actionSize } from '../../src/envs/shape.js'
import { course, launch, train, until } from './command.js'
import { temporaryDirectory, tiny } from './runs.js'

const ITERATIONS = 12
const KILLS = 2
const settings = [
  'checkpoint.every=2',
  'evaluation.every=6',
  'evaluation.episodes=2',
  // Episodes end by it within rollouts and across checkpoints.
  'env.timeLimit=27',
  `steps=${ITERATIONS * 80}`,
]

/** Settings of methods with a replay, which learn from the second iteration on. */
const replay = ['offPolicy.warmup=20', 'offPolicy.batchSize=16']

/** One id per robot: the first that is listed. */
const robots = new Map<string, string>()
for (const { id } of listEnvs()) {
  if (!id.startsWith('mamujoco/')) continue
  const robot = id.split('-')[0]
  if (!robots.has(robot)) robots.set(robot, id)
}

/** Every method that learns from rollouts, with own and with shared policies where it allows them, shared ones first. */
const methods = trainableAlgorithms
  .filter((name) => !partsOf(algorithms[name])!.update.tables)
  .flatMap((name) => partsOf(algorithms[name])!.sharing.map((sharing) => ({ name, sharing })))
  .filter(({ sharing }) => sharing !== 'groups')
  .sort((a, b) => Number(b.sharing === 'shared') - Number(a.sharing === 'shared'))

/** Whether the agents of a task can share a policy. */
function alike(id: string): boolean {
  const [first, ...others] = makeEnvFactory({ id }).spec.agents
  const sizes = ({ observation, action }: typeof first) => `${observation.size} ${actionSize(action)}`
  return others.every((agent) => sizes(agent) === sizes(first))
}

const tasks = [...robots].sort(([, a], [, b]) => Number(alike(b)) - Number(alike(a)))
const cases = Array.from({ length: Math.max(tasks.length, methods.length) }, (_, i) => ({
  robot: tasks[i % tasks.length],
  method: methods[Math.min(i, methods.length - 1)],
}))
assert.ok(
  cases.every(({ robot: [, id], method }) => method.sharing === 'own' || alike(id)),
  'agents that share a policy are alike',
)

for (const [index, { robot: task, method }] of cases.entries()) {
  const [robot, id] = task
  const { name, sharing } = method
  test(`${robot}, ${name}, ${sharing} policies: a run that is killed twice ends like an uninterrupted one`, async (t) => {
    const folder = temporaryDirectory(t)
    const own = partsOf(algorithms[name])!.update.replay ? replay : []
    const run = [
      '--env',
      id,
      '--algo',
      name,
      '--set',
      `actor.sharing=${sharing}`,
      ...tiny,
      ...settings,
      ...own,
    ]
    const whole = join(folder, 'whole')
    const expected = train(...run, '--out', whole)
    assert.equal(expected.code, 0, expected.stderr)
    assert.match(expected.lines.at(-1)!, /^parameters sha256 [0-9a-f]{64}$/)

    const random = new RandomStream(index, 1)
    let killed = 0
    for (let attempt = 0; killed < KILLS; attempt++) {
      assert.ok(attempt < 3 * KILLS, 'the run ends before it can be killed')
      const dir = join(folder, `killed-${attempt}`)
      // In the first half of the run and in the second, at any moment of an iteration.
      for (let k = 0; k < KILLS && !existsSync(join(dir, 'result.json')); k++) {
        const { child, ended, kill } = launch(dir, run)
        const iterations = Math.floor(((k + random.uniform()) * ITERATIONS) / KILLS)
        await until(child, () => made(dir) >= iterations)
        await sleep(20 * random.uniform())
        kill('SIGKILL')
        const [code] = await ended
        if (code === null) killed++
        else assert.equal(code, 0)
      }
      const resumed = train('--resume', dir)
      assert.equal(resumed.code, 0, resumed.stderr)
      assert.deepEqual(resumed.lines, expected.lines)
      assert.deepEqual(course(dir), course(whole))
      const evaluation = (of: string) => readFileSync(join(of, 'eval.json'), 'utf8')
      assert.equal(evaluation(dir), evaluation(whole))
    }
  })
}

/** Number of iterations in the metrics of a run so far. */
function made(dir: string): number {
  const file = join(dir, 'metrics.jsonl')
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0
}
