import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { listCheckpoints } from '../../src/runs/checkpoint.js'
import type { TrainConfig } from '../../src/config/index.js'
import {
  checkpointDue,
  evaluationDue,
  openRun,
  type OpenRunOptions,
  readRunCheckpoint,
  readRunConfig,
  readRunResult,
  type Run,
} from '../../src/runs/folder.js'
import { EvaluationLog } from '../../src/runs/evaluations.js'
import { readMetrics } from '../../src/runs/metrics.js'
import { packageVersion } from '../../src/runs/version.js'
import {
  checkpointData,
  evaluationRecord,
  iterationRecord,
  saying,
  temporaryDirectory,
  testConfig,
} from './fixtures.js'

/** Writes of a training to its folder in iterations `from` to `to`, with a checkpoint after each. */
function runIterations(run: Run, from: number, to: number): void {
  for (let iteration = from; iteration <= to; iteration++) {
    run.logIteration(iterationRecord(iteration))
    if (iteration % 2 === 0) run.logEvaluation(evaluationRecord(iteration, 100 - iteration))
    run.saveCheckpoint(iteration, iteration * 4000, checkpointData(iteration))
  }
}

function newRun(dir: string, config: TrainConfig, to: number): void {
  const run = openRun(dir, config)
  runIterations(run, 1, to)
  run.close()
}

/** Resumes, passes the run to `use`, closes it. @returns the messages */
function resume(
  dir: string,
  config: TrainConfig,
  use: (run: Run) => void,
  options: OpenRunOptions = {},
): string[] {
  const said: string[] = []
  const run = openRun(dir, config, { resume: true, onEvent: (message) => said.push(message), ...options })
  try {
    use(run)
  } finally {
    run.close()
  }
  return said
}

function iterations(dir: string): number[] {
  return readMetrics(join(dir, 'metrics.jsonl')).map((record) => record.iteration)
}

const outcome = { iterations: 10, steps: 40000, parametersSha256: 'ab'.repeat(32) }

test('a run is resumed only with the environment code of its checkpoints; other code is refused first', (t) => {
  const dir = temporaryDirectory(t)
  const config = testConfig()
  const noted = () =>
    (JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8')) as { about: { envSha256?: string } }).about
      .envSha256
  openRun(dir, config, { envSha256: 'a'.repeat(64) }).close()
  assert.equal(noted(), 'a'.repeat(64))
  // Without a checkpoint it starts over with the present code.
  resume(dir, config, (run) => runIterations(run, 1, 2), { envSha256: 'b'.repeat(64) })
  assert.equal(noted(), 'b'.repeat(64))
  const said: string[] = []
  const listen = { onOpen: () => said.push('open'), onEvent: (message: string) => said.push(message) }
  assert.throws(
    () => openRun(dir, config, { resume: true, envSha256: 'c'.repeat(64), ...listen }),
    saying('mamujoco/HalfCheetah-2x3 was changed', 'bbbbbbbb then, cccccccc now', 'about.envSha256'),
  )
  assert.equal(said.length, 0)
  assert.equal(noted(), 'b'.repeat(64))
  resume(dir, config, () => {}, { envSha256: 'b'.repeat(64), ...listen })
  assert.deepEqual(
    said.map((line) => line.slice(0, 25)),
    ['open', 'resuming from checkpoint '],
  )
})

test('config.json holds the resolved configuration, the version and where it came from', (t) => {
  const dir = join(temporaryDirectory(t), 'made', 'as needed')
  const config = testConfig()
  openRun(dir, config, { origin: { preset: 'harl', tunedFor: 'HalfCheetah-2x3' }, workers: 2 }).close()
  const { about, ...stored } = JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8')) as TrainConfig & {
    about: object
  }
  assert.deepEqual(stored, config)
  assert.deepEqual(about, {
    packageVersion,
    node: process.version,
    preset: 'harl',
    tunedFor: 'HalfCheetah-2x3',
    workers: 2,
  })
  assert.deepEqual(readRunConfig(dir), config)
  assert.equal(readdirSync(dir).includes('lock'), false)
})

test('a run writes metrics and checkpoints, and finishes', (t) => {
  const dir = temporaryDirectory(t)
  const config = testConfig()
  const run = openRun(dir, config)
  assert.equal(run.checkpoint, undefined)
  runIterations(run, 1, 10)
  const result = run.finish({ ...outcome, evaluation: { mean: 90, sd: 1, episodes: 2 } })
  run.close()
  assert.deepEqual(result, {
    env: 'mamujoco/HalfCheetah-2x3',
    algo: 'hatrpo',
    seed: 1,
    ...outcome,
    evaluation: { mean: 90, sd: 1, episodes: 2 },
  })
  assert.deepEqual(readRunResult(dir), result)
  assert.deepEqual(iterations(dir), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  assert.deepEqual(readMetrics(join(dir, 'metrics.jsonl'))[2], iterationRecord(3))
  // The best evaluation, 98, was made at iteration 2.
  assert.deepEqual(listCheckpoints(dir), [2, 9, 10])
  assert.equal(readRunCheckpoint(dir).iteration, 10)
  assert.equal(readRunCheckpoint(dir, 'best').iteration, 2)
  assert.equal(readRunCheckpoint(dir, 9).evaluation, null)
  assert.throws(() => readRunCheckpoint(dir, 3), saying('checkpoint is 3', '2, 9, 10'))
  const step = (k: number) => ({ step_count: 8000 * (k + 1), return: [97 - 2 * k, 99 - 2 * k] })
  assert.deepEqual(JSON.parse(readFileSync(join(dir, 'eval.json'), 'utf8')), {
    mamujoco: {
      'HalfCheetah-2x3': {
        hatrpo: {
          seed_1: {
            step_0: step(0),
            step_1: step(1),
            step_2: step(2),
            step_3: step(3),
            step_4: step(4),
          },
        },
      },
    },
  })
})

test('evaluations are filed under the family of a built-in environment', (t) => {
  for (const [id, place] of [
    ['games/skirmish', ['games', 'skirmish']],
    ['mine', ['custom', 'mine']],
  ] as const) {
    const path = join(temporaryDirectory(t), 'eval.json')
    new EvaluationLog(path, id, testConfig(), 0).append(evaluationRecord(1, 5))
    const tree = JSON.parse(readFileSync(path, 'utf8')) as Record<string, object>
    assert.deepEqual([Object.keys(tree)[0], Object.keys(tree[place[0]])[0]], place)
  }
})

test('a folder that is in use or not empty is refused', (t) => {
  const dir = temporaryDirectory(t)
  const config = testConfig()
  const run = openRun(join(dir, 'run'), config)
  assert.throws(() => openRun(join(dir, 'run'), config, { resume: true }), saying('is in use by process'))
  run.close()
  assert.throws(() => openRun(join(dir, 'run'), config), saying('already holds a run', '--resume'))
  assert.throws(() => openRun(dir, config), saying('is not empty (run)'))
  assert.throws(() => openRun(dir, config, { resume: true }), saying('no run to resume', 'config.json'))
  assert.throws(() => openRun(join(dir, 'none'), config, { resume: true }), saying('no run to resume'))
  assert.deepEqual(readdirSync(dir), ['run'])
})

test('a run without a checkpoint starts over', (t) => {
  const dir = temporaryDirectory(t)
  const config = testConfig()
  const run = openRun(dir, config)
  run.logIteration(iterationRecord(1))
  run.logEvaluation(evaluationRecord(1, 5))
  run.close()
  const said = resume(dir, config, (resumed) => {
    assert.equal(resumed.checkpoint, undefined)
    assert.deepEqual(iterations(dir), [])
    assert.doesNotMatch(readFileSync(join(dir, 'eval.json'), 'utf8'), /step_/)
    runIterations(resumed, 1, 2)
  })
  assert.match(said.join(), /no checkpoint: starting over/)
  assert.deepEqual(iterations(dir), [1, 2])
  const evaluated = JSON.parse(readFileSync(join(dir, 'eval.json'), 'utf8')) as Record<string, never>
  assert.deepEqual(Object.keys(evaluated.mamujoco['HalfCheetah-2x3']['hatrpo']['seed_1']), ['step_0'])
})

test('a resumed run continues from its checkpoint, and later lines are dropped', (t) => {
  const dir = temporaryDirectory(t)
  const config = testConfig()
  const first = openRun(dir, config)
  runIterations(first, 1, 3)
  first.logIteration(iterationRecord(4))
  first.logEvaluation(evaluationRecord(4, 1000))
  first.logIteration(iterationRecord(5))
  first.close()
  const lines = readFileSync(join(dir, 'metrics.jsonl'), 'utf8').split('\n').slice(0, 3)
  appendFileSync(join(dir, 'metrics.jsonl'), '{"iteration":6,"st')
  writeFileSync(join(dir, 'config.json.4242.tmp'), '{')

  resume(dir, config, (run) => {
    assert.equal(run.checkpoint?.iteration, 3)
    assert.deepStrictEqual(
      run.checkpoint.tensors['actors/agent_0'],
      checkpointData(3).tensors['actors/agent_0'],
    )
    assert.equal(readFileSync(join(dir, 'metrics.jsonl'), 'utf8'), `${lines.join('\n')}\n`)
    runIterations(run, 4, 5)
  })
  assert.deepEqual(iterations(dir), [1, 2, 3, 4, 5])
  assert.equal(readdirSync(dir).includes('config.json.4242.tmp'), false)
  assert.equal(readdirSync(dir).filter((name) => name.startsWith('events.out.tfevents')).length, 2)
  // The evaluation of 1000 belonged to an iteration that was done again.
  assert.equal(readRunCheckpoint(dir, 'best').iteration, 2)
})

test('a torn metrics line and all lines after it are dropped', (t) => {
  const dir = temporaryDirectory(t)
  const path = join(dir, 'metrics.jsonl')
  const config = testConfig()
  newRun(dir, config, 3)
  const size = readFileSync(path).length
  truncateSync(path, size - 1)
  assert.deepEqual(iterations(dir), [1, 2])
  resume(dir, config, () => assert.equal(readFileSync(path, 'utf8').endsWith('}\n'), true))
  assert.deepEqual(iterations(dir), [1, 2])
})

test('a damaged checkpoint is skipped, set aside and named', (t) => {
  const dir = temporaryDirectory(t)
  const config = testConfig()
  newRun(dir, config, 5)
  const torn = join(dir, 'checkpoints', '000005')
  truncateSync(join(torn, 'actors.safetensors'), 20)
  assert.equal(readRunCheckpoint(dir).iteration, 4)
  assert.throws(() => readRunCheckpoint(dir, 5), saying('actors.safetensors is torn'))
  const said = resume(dir, config, (run) => assert.equal(run.checkpoint?.iteration, 4))
  assert.equal(said.length, 2)
  assert.match(
    said[0],
    /checkpoint .*000005 is damaged: actors\.safetensors is torn or was changed; .*000005\.damaged/,
  )
  assert.match(said[1], /resuming from checkpoint .*000004/)
  assert.deepEqual(listCheckpoints(dir), [2, 4])
  assert.deepEqual(iterations(dir), [1, 2, 3, 4])
})

test('with all checkpoints damaged the run starts over', (t) => {
  const dir = temporaryDirectory(t)
  const config = testConfig()
  newRun(dir, config, 1)
  writeFileSync(join(dir, 'checkpoints', '000001', 'state.json'), '')
  assert.throws(() => readRunCheckpoint(dir), saying('no undamaged checkpoint'))
  resume(dir, config, (run) => assert.equal(run.checkpoint, undefined))
})

test('the best evaluation before an interruption remains the best after it', (t) => {
  const dir = temporaryDirectory(t)
  const config = testConfig()
  newRun(dir, config, 3)
  resume(dir, config, (run) => runIterations(run, 4, 8))
  assert.deepEqual(listCheckpoints(dir), [2, 7, 8])
})

test('a finished run returns its result again; more steps extend it', (t) => {
  const dir = temporaryDirectory(t)
  const config = testConfig()
  const run = openRun(dir, config)
  runIterations(run, 1, 10)
  const result = run.finish(outcome)
  run.close()
  resume(dir, config, (again) => assert.deepEqual(again.result, result))

  const longer = { ...config, steps: 48000 }
  resume(dir, longer, (extended) => {
    assert.equal(extended.result, undefined)
    assert.equal(extended.checkpoint?.iteration, 10)
    assert.equal(readRunConfig(dir).steps, 48000)
    runIterations(extended, 11, 12)
    extended.finish({ ...outcome, iterations: 12, steps: 48000 })
  })
  assert.equal(readRunResult(dir)?.steps, 48000)
  assert.deepEqual(iterations(dir).slice(-3), [10, 11, 12])
  assert.throws(() => resume(dir, config, () => {}), saying('steps is 40000', 'at least 48000'))
})

test('a run without a result after its last checkpoint finishes again', (t) => {
  const dir = temporaryDirectory(t)
  const config = testConfig()
  newRun(dir, config, 10)
  resume(dir, config, (run) => {
    assert.equal(run.result, undefined)
    assert.equal(run.checkpoint?.iteration, 10)
  })
})

test('a run whose learning rate falls over its steps cannot be extended', (t) => {
  const dir = temporaryDirectory(t)
  const config = testConfig('algo=happo', 'clipped.lrDecay=true')
  newRun(dir, config, 1)
  assert.throws(
    () => resume(dir, { ...config, steps: 80000 }, () => {}),
    saying('steps is 80000', 'stay 40000'),
  )
  resume(dir, config, (run) => assert.equal(run.checkpoint?.iteration, 1))
})

test('a run is resumed with its own configuration only', (t) => {
  const dir = temporaryDirectory(t)
  const config = testConfig()
  newRun(dir, config, 1)
  assert.throws(
    () => resume(dir, { ...config, gamma: 0.9 }, () => {}),
    saying('has a different configuration'),
  )
  const path = join(dir, 'config.json')
  writeFileSync(path, readFileSync(path, 'utf8').replace('"gamma": 0.99', '"gamma": 0.9'))
  assert.throws(
    () => resume(dir, { ...config, gamma: 0.9 }, () => {}),
    saying('was changed since checkpoint 1'),
  )
  writeFileSync(path, '{"seed":')
  assert.throws(() => readRunConfig(dir), saying(path, 'is damaged'))
})

test('a run of another version of the package is named on resume', (t) => {
  const dir = temporaryDirectory(t)
  const config = testConfig()
  openRun(dir, config).close()
  const path = join(dir, 'config.json')
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(`"packageVersion": "${packageVersion}"`, '"packageVersion": "0.0.1"'),
  )
  assert.match(resume(dir, config, () => {}).join('\n'), /made by version 0\.0\.1/)
})

test('a folder taken over by another process is no longer written', (t) => {
  const dir = temporaryDirectory(t)
  const run = openRun(dir, testConfig())
  t.after(() => run.close())
  writeFileSync(join(dir, 'lock'), '{}')
  assert.throws(() => run.saveCheckpoint(1, 4000, checkpointData(1)), saying('taken by another process'))
  assert.throws(() => run.finish(outcome), saying('taken by another process'))
})

test('an existing empty folder is a new run', (t) => {
  const dir = join(temporaryDirectory(t), 'empty')
  mkdirSync(dir)
  newRun(dir, testConfig(), 1)
  assert.deepEqual(listCheckpoints(dir), [1])
})

test('checkpoints and evaluations are due when the configuration says, and at the end', () => {
  const config = testConfig('steps=48000', 'checkpoint.every=5', 'evaluation.every=4')
  const due = (test: typeof checkpointDue, of: TrainConfig) =>
    Array.from({ length: 12 }, (_, i) => i + 1).filter((iteration) => test(of, iteration))
  assert.deepEqual(due(evaluationDue, config), [4, 8, 12])
  assert.deepEqual(due(checkpointDue, config), [4, 5, 8, 10, 12])
  const never = { ...config, evaluation: { every: 0, episodes: 1 } }
  assert.deepEqual(due(evaluationDue, never), [])
  assert.deepEqual(due(checkpointDue, never), [5, 10, 12])
  assert.deepEqual(due(evaluationDue, { ...config, evaluation: { every: 7, episodes: 1 } }), [7, 12])
})
