import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { configSha256, type TrainConfig } from '../../src/config/index.js'
import { AUTO, comparableDevices } from '../../src/devices/open.js'
import { HatrpoError } from '../../src/errors.js'
import { chooseDevice } from '../../src/training/auto-device.js'
import { close } from '../reference/close.js'
import { missingTensorFlow, TFJS } from '../tensorflow/find.js'
import { fixture, numbersOf, temporaryDirectory, tinyConfig, trained, type Trained } from './runs.js'

/** Terminations, truncations and an agent that leaves. */
const env = { id: fixture('rough') }
/** Options of runs whose threads are of no concern. */
const alone = { workers: 0 }
const skip = await missingTensorFlow()
const DEVICES = [
  { device: 'reference', skip: false },
  { device: TFJS, skip },
]

/** Numbers of an iteration but the residual that conjugate gradients leave: their own rounding, amplified. */
function metrics({ records }: Trained, iteration = 1): number[] {
  const { agents, critic } = records[iteration - 1]
  return numbersOf([agents.map((agent) => ({ ...agent, cgResidual: null })), critic])
}

const cases = {
  hatrpo: { env, set: ['algo=hatrpo'] },
  happo: { env, set: ['algo=happo', 'clipped.epochs=2', 'clipped.miniBatches=2', 'critic.miniBatches=3'] },
}

for (const { device, skip } of DEVICES) {
  for (const [name, { env, set }] of Object.entries(cases)) {
    test(`${name} on device ${device} takes the steps of the default device`, { skip }, async (t) => {
      const [want, got] = await Promise.all(
        ['wasm', device].map((on) => trained(t, tinyConfig(env, 1, ...set, `device=${on}`), alone)),
      )
      const [expected, found] = [metrics(want), metrics(got)]
      assert.ok(expected.length >= 20)
      // Ten products of conjugate gradients amplify f32's rounding of 6e-8 by the condition of the Fisher matrix.
      close(found, expected, (i) => 1e-3 * Math.abs(expected[i]) + 1e-6, 'metrics of the first iteration')
    })
  }

  test(`device ${device} gives the same bits with 1 and 2 workers`, { skip }, async (t) => {
    const config = tinyConfig(env, 3, `device=${device}`)
    const [one, two] = [await trained(t, config, { workers: 1 }), await trained(t, config, { workers: 2 })]
    assert.equal(one.records.length, 3)
    assert.equal(one.parametersSha256, two.parametersSha256)
  })
}

const storedDevice = (dir: string) =>
  (JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8')) as TrainConfig).device

test('a run continues on another device, and back', { skip }, async (t) => {
  // Without conjugate gradients, which amplify rounding.
  const { set } = cases.happo
  const config = (iterations: number, device: string) =>
    tinyConfig(env, iterations, ...set, `device=${device}`)
  const whole = await trained(t, config(3, 'wasm'), alone)
  const dir = join(temporaryDirectory(t), 'run')
  await trained(t, config(1, 'wasm'), { ...alone, dir })
  const moved = await trained(t, config(2, TFJS), { ...alone, dir, resume: true })
  assert.ok(
    moved.events.some((event) => event.includes(`on device wasm, this is ${TFJS}`)),
    'it tells',
  )
  assert.equal(storedDevice(dir), TFJS)
  const back = await trained(t, config(3, 'wasm'), { ...alone, dir, resume: true })
  assert.equal(storedDevice(dir), 'wasm')
  assert.deepEqual(
    back.records.map(({ iteration }) => iteration),
    [1, 2, 3],
  )
  // Each iteration begins with the parameters, moments and random numbers of the one before.
  for (const iteration of [1, 2, 3]) {
    const [want, got] = [metrics(whole, iteration), metrics(back, iteration)]
    close(got, want, (i) => 1e-3 * Math.abs(want[i]) + 1e-6, `metrics of iteration ${iteration}`)
  }
  assert.notEqual(
    configSha256(config(3, 'wasm')),
    configSha256(config(3, TFJS)),
    'runs of two devices are two runs',
  )
})

test('auto selects the device with the fastest update, and reports the times', { skip }, async () => {
  assert.deepEqual(await comparableDevices(), ['wasm', TFJS])
  const seconds: Record<string, number[]> = { wasm: [0.9, 0.5, 0.7], [TFJS]: [2, 0.25] }
  const lines: string[] = []
  const tried: TrainConfig[] = []
  const choose = (config: TrainConfig, fail?: Error) =>
    chooseDevice(
      config,
      async (trial) => {
        tried.push(trial)
        if (fail && trial.device !== 'wasm') throw fail
        return seconds[trial.device]
      },
      (line) => lines.push(line),
    )
  const config = tinyConfig(env, 50, 'device=auto')
  assert.equal(await choose(config), TFJS)
  assert.deepEqual(lines, [`device auto: ${TFJS}; an update takes ${TFJS} 0.250 s, wasm 0.500 s`])
  assert.deepEqual(
    tried.map(({ device, steps, evaluation }) => [device, steps, evaluation.every]),
    [
      ['wasm', 240, 0],
      [TFJS, 240, 0],
    ],
  )
  assert.equal(await choose({ ...config, seed: 5 }), TFJS, 'runs of other seeds share the choice')
  assert.equal(tried.length, 2)
  const failing = await choose(tinyConfig(env, 51, 'device=auto'), new HatrpoError('out of memory'))
  assert.equal(failing, 'wasm')
  assert.equal(lines[1], `device auto: ${TFJS} is left out: out of memory`)
  await assert.rejects(choose(tinyConfig(env, 52, 'device=auto'), new Error('a bug')), /a bug/)
})

test('the choice of auto is stored', async (t) => {
  const dir = join(temporaryDirectory(t), 'run')
  const { events } = await trained(t, tinyConfig(env, 1, `device=${AUTO}`), { ...alone, dir })
  const device = storedDevice(dir)
  assert.ok((await comparableDevices()).includes(device))
  assert.ok(events.some((event) => event.startsWith(`device auto: ${device}`)))
})
