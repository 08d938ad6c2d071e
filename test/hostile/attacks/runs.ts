import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  existsSync,
} from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { decodeSafetensors, encodeSafetensors } from '../../../src/runs/safetensors.js'
import { readRunCheckpoint, readRunConfig, readRunResult } from '../../../src/runs/folder.js'
import { train } from '../../../src/training/train.js'
import { tinyConfig } from '../../training/runs.js'
import { expect, judge, type Attack } from '../attack.js'
import { mutateBytes, mutateJson, pick } from '../mutate.js'
import type { Random } from '../../export/random-policy.js'

const ENV = { id: 'mpe/spread', agents: 2 }
const ITERATIONS = 4

const config = () =>
  tinyConfig(ENV, ITERATIONS, 'algo=ppo', 'checkpoint.every=1', 'evaluation.every=1', 'evaluation.episodes=2')

/** Files of a folder and of those in it, relative to it. */
function filesOf(dir: string): string[] {
  const all = readdirSync(dir, { recursive: true, encoding: 'utf8' })
  return all.filter((path) => statSync(join(dir, path)).isFile()).sort()
}

/** A run of two iterations of four, and the parameters of the whole run. */
async function unfinished(folder: string) {
  const [whole, half] = ['whole', 'half'].map((name) => join(folder, name))
  const { parametersSha256 } = await train({ config: config(), dir: whole, workers: 0 })
  const stop = new AbortController()
  const onIteration = ({ iteration }: { iteration: number }) => {
    if (iteration === 2) stop.abort()
  }
  await train({ config: config(), dir: half, workers: 0, signal: stop.signal, onIteration })
  return { whole, half, parametersSha256 }
}

/** Changes one file of a folder: its bytes, its JSON, or whether there is one. */
function spoil(dir: string, random: Random): string {
  const path = pick(random, filesOf(dir))
  const file = join(dir, path)
  const how = random.uniform()
  if (how < 0.05) rmSync(file)
  else if (how < 0.1) {
    rmSync(file)
    mkdirSync(file)
  } else if (how < 0.5 && path.endsWith('.json')) {
    const json = mutateJson(JSON.parse(readFileSync(file, 'utf8')), random)
    writeFileSync(file, JSON.stringify(json) ?? '')
  } else writeFileSync(file, mutateBytes(readFileSync(file), random))
  return path
}

export const tensorFiles: Attack = {
  name: 'safetensors',
  input: 'a file of tensors of every type is changed in bits and stretches',
  fault: 'an error that is not one line, or tensors that do not fill the file',
  limit: 10,
  share: 4,
  prepare() {
    const file = encodeSafetensors(
      {
        a: { shape: [4], data: Float32Array.of(1, 2, 3, 4) },
        b: { shape: [2, 1], data: Float64Array.of(0.1, -0) },
        c: { shape: [3], data: Uint8Array.of(1, 2, 3) },
        d: { shape: [0], data: new Int32Array(0) },
      },
      { format: 'test' },
    )
    return (random) => {
      const bytes = mutateBytes(file, random)
      return judge(
        () => decodeSafetensors(bytes, 'file'),
        ({ tensors }) => {
          const data = Object.values(tensors).reduce((sum, tensor) => sum + tensor.data.byteLength, 0)
          const header = Number(new DataView(bytes.buffer).getBigUint64(0, true))
          expect(8 + header + data === bytes.length, `${data} bytes of tensors in a file of ${bytes.length}`)
        },
      )
    }
  },
}

export const checkpoints: Attack = {
  name: 'checkpoint-files',
  input: 'a file of the last checkpoint of a run is changed, emptied, deleted or made a folder',
  fault: 'other values than those of an undamaged checkpoint, or an error that is not one line',
  limit: 10,
  share: 2,
  async prepare(folder) {
    const { half } = await unfinished(folder)
    const copy = join(folder, 'copy')
    const last = join('checkpoints', '000002')
    const sound = [1, 2].map((iteration) => readRunCheckpoint(half, iteration))
    cpSync(half, copy, { recursive: true })
    return async (random) => {
      rmSync(join(copy, last), { recursive: true, force: true })
      cpSync(join(half, last), join(copy, last), { recursive: true })
      const path = spoil(join(copy, last), random)
      return judge(
        () => readRunCheckpoint(copy),
        ({ iteration, tensors, state }) => {
          const original = sound[iteration - 1]
          const same = isDeepStrictEqual(
            { tensors, state },
            { tensors: original.tensors, state: original.state },
          )
          expect(same, `other values in checkpoint ${iteration} after a change of ${path}`)
        },
      )
    }
  },
}

export const runFiles: Attack = {
  name: 'run-files',
  input: 'config.json or result.json of a finished run is changed',
  fault: 'an error that is not one line',
  limit: 10,
  share: 1,
  async prepare(folder) {
    const { whole } = await unfinished(folder)
    const copy = join(folder, 'copy')
    mkdirSync(copy)
    const readers = {
      'config.json': readRunConfig,
      'result.json': (dir: string) => readRunResult(dir, config()),
    }
    return async (random) => {
      const name = pick(random, Object.keys(readers) as (keyof typeof readers)[])
      rmSync(copy, { recursive: true })
      mkdirSync(copy)
      cpSync(join(whole, name), join(copy, name))
      spoil(copy, random)
      return judge(
        () => readers[name](copy),
        () => undefined,
      )
    }
  },
}

export const resumedRuns: Attack = {
  name: 'run-folders',
  input: 'one or two files of an unfinished run are changed, then it is resumed to its end',
  fault:
    'other parameters than those of a run that was left alone, an error that is not one line, a lock that stays',
  limit: 30,
  share: 4,
  async prepare(folder) {
    const { half, parametersSha256 } = await unfinished(folder)
    const copy = join(folder, 'copy')
    return async (random) => {
      rmSync(copy, { recursive: true, force: true })
      cpSync(half, copy, { recursive: true })
      const changed = [spoil(copy, random)]
      if (random.uniform() < 0.3) changed.push(spoil(copy, random))
      const verdict = await judge(
        () => train({ config: readRunConfig(copy), dir: copy, workers: 0, resume: true }),
        (result) =>
          expect(
            result.parametersSha256 === parametersSha256,
            `other parameters after a change of ${changed.join()}`,
          ),
      )
      expect(!existsSync(join(copy, 'lock')) || changed.includes('lock'), 'the lock is left')
      return verdict
    }
  },
}
