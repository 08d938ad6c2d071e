import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import {
  bestCheckpoint,
  checkpointPath,
  cleanCheckpoints,
  listCheckpoints,
  pruneCheckpoints,
  readCheckpoint,
  readCheckpointInfo,
  writeCheckpoint,
} from '../../src/runs/checkpoint.js'
import { parametersSha256 } from '../../src/runs/sha256.js'
import { checkpointData, saying, temporaryDirectory } from './fixtures.js'

function info(iteration: number, evaluation: number | null = null) {
  return { iteration, steps: iteration * 4000, evaluation, configSha256: 'c0ffee', packageVersion: '1.2.3' }
}

test('a checkpoint is restored with the same bits', (t) => {
  const dir = temporaryDirectory(t)
  writeCheckpoint(dir, info(12, 34.5), checkpointData(12))
  const { path, ...read } = readCheckpoint(dir, 12)
  assert.equal(path, join(dir, 'checkpoints', '000012'))
  const { tensors, state } = checkpointData(12)
  for (const [name, data] of Object.entries(tensors)) assert.deepStrictEqual(read.tensors[name], data, name)
  assert.deepEqual(read, { ...info(12, 34.5), tensors: { ...read.tensors }, state })
  assert.deepEqual(Object.keys(read.tensors).sort(), Object.keys(tensors).sort())
  assert.deepEqual(readCheckpointInfo(dir, 12), info(12, 34.5))
  assert.deepEqual(readdirSync(path).sort(), [
    'actors.safetensors',
    'environments.safetensors',
    'optimiser.safetensors',
    'state.json',
  ])
  assert.deepEqual(readdirSync(join(dir, 'checkpoints')), ['000012'])
})

test('a torn, missing or changed file is detected and named', (t) => {
  const dir = temporaryDirectory(t)
  const path = checkpointPath(dir, 1)
  writeCheckpoint(dir, info(1), checkpointData(1))
  for (const name of readdirSync(path)) {
    const file = join(path, name)
    const sound = readFileSync(file)
    const damages: [string, () => void][] = [
      ['torn', () => truncateSync(file, sound.length - 1)],
      ['torn', () => truncateSync(file, 0)],
      [
        'changed',
        () =>
          writeFileSync(
            file,
            sound.map((byte, i) => (i === sound.length - 8 ? byte ^ 1 : byte)),
          ),
      ],
      ['changed', () => writeFileSync(file, Buffer.concat([sound, Buffer.from('1')]))],
      ['missing', () => rmSync(file)],
    ]
    for (const [word, damage] of damages) {
      damage()
      assert.throws(() => readCheckpoint(dir, 1), saying(path, 'is damaged', name, word))
      writeFileSync(file, sound)
    }
  }
  readCheckpoint(dir, 1)
})

test('a changed counter in state.json is detected', (t) => {
  const dir = temporaryDirectory(t)
  writeCheckpoint(dir, info(1), checkpointData(1))
  const file = join(checkpointPath(dir, 1), 'state.json')
  writeFileSync(file, readFileSync(file, 'utf8').replace('"steps":4000', '"steps":8000'))
  assert.throws(() => readCheckpoint(dir, 1), saying('state.json is torn or was changed'))
})

test('values that are not finite are refused and nothing is written', (t) => {
  const dir = temporaryDirectory(t)
  const refuse = (tensors: Record<string, Float32Array | Float64Array>, ...words: string[]) =>
    assert.throws(() => writeCheckpoint(dir, info(1), { tensors, state: null }), saying(...words))
  refuse({ 'actors/a': Float32Array.of(1, NaN) }, 'actors/a[1] is NaN', 'finite')
  refuse({ 'critics/c': Float64Array.of(-Infinity) }, 'critics/c[0] is -Infinity', 'finite')
  refuse({ actors: Float32Array.of(1) }, '"actors"', 'file/name')
  refuse({ '../x/y': Float32Array.of(1) }, '"../x/y"', 'file/name')
  assert.throws(
    () => writeCheckpoint(dir, info(1), { tensors: {}, state: { counters: { next: NaN } } }),
    saying('next is NaN'),
  )
  assert.equal(existsSync(join(dir, 'checkpoints')), false)
})

test('writing a checkpoint again replaces it', (t) => {
  const dir = temporaryDirectory(t)
  writeCheckpoint(dir, info(1), checkpointData(1))
  writeCheckpoint(dir, info(1, 5), checkpointData(7))
  assert.equal(readCheckpoint(dir, 1).evaluation, 5)
  assert.deepEqual(readCheckpoint(dir, 1).state, checkpointData(7).state)
  assert.deepEqual(readdirSync(join(dir, 'checkpoints')), ['000001'])
})

test('remains of an interrupted write are not a checkpoint and are removed', (t) => {
  const dir = temporaryDirectory(t)
  writeCheckpoint(dir, info(1), checkpointData(1))
  for (const left of ['.new-2', '.old-3']) {
    mkdirSync(join(dir, 'checkpoints', left))
    writeFileSync(join(dir, 'checkpoints', left, 'state.json'), '{}')
  }
  assert.deepEqual(listCheckpoints(dir), [1])
  cleanCheckpoints(dir)
  assert.deepEqual(readdirSync(join(dir, 'checkpoints')), ['000001'])
})

test('the last two, the best and every K-th are kept', (t) => {
  const dir = temporaryDirectory(t)
  const kept: number[][] = []
  for (let iteration = 1; iteration <= 9; iteration++) {
    writeCheckpoint(dir, info(iteration, iteration === 2 ? 100 : iteration), checkpointData(iteration))
    pruneCheckpoints(dir, bestCheckpoint(dir)?.iteration, 4)
    kept.push(listCheckpoints(dir))
  }
  assert.deepEqual(kept.slice(2), [
    [2, 3],
    [2, 3, 4],
    [2, 4, 5],
    [2, 4, 5, 6],
    [2, 4, 6, 7],
    [2, 4, 7, 8],
    [2, 4, 8, 9],
  ])
})

test('the best checkpoint is the earliest of the best evaluations that can be read', (t) => {
  const dir = temporaryDirectory(t)
  assert.equal(bestCheckpoint(dir), undefined)
  for (const [iteration, evaluation] of [
    [1, null],
    [2, -5],
    [3, 7],
    [4, 7],
    [5, 9],
  ] as const)
    writeCheckpoint(dir, info(iteration, evaluation), checkpointData(iteration))
  assert.deepEqual(bestCheckpoint(dir), { iteration: 5, evaluation: 9 })
  truncateSync(join(checkpointPath(dir, 5), 'state.json'), 10)
  assert.deepEqual(bestCheckpoint(dir), { iteration: 3, evaluation: 7 })
})

test('checkpoints are listed in numerical order, also beyond six digits', (t) => {
  const dir = temporaryDirectory(t)
  for (const iteration of [1_000_000, 999_999, 20])
    writeCheckpoint(dir, info(iteration), { tensors: {}, state: null })
  assert.deepEqual(listCheckpoints(dir), [20, 999_999, 1_000_000])
  assert.equal(readCheckpoint(dir, 1_000_000).iteration, 1_000_000)
})

test('the hash of parameters is SHA-256 over their little-endian bytes in order', () => {
  const bytes = Buffer.from('0000803f000000400000c0bf', 'hex')
  const expected = createHash('sha256').update(bytes).digest('hex')
  assert.equal(parametersSha256([Float32Array.of(1, 2), Float32Array.of(-1.5)]), expected)
  assert.equal(parametersSha256([Float32Array.of(9, 1, 2, -1.5).subarray(1)]), expected)
  assert.notEqual(parametersSha256([Float32Array.of(-1.5), Float32Array.of(1, 2)]), expected)
  assert.throws(
    () => parametersSha256([Float32Array.of(1), Float32Array.of(0, NaN)]),
    saying('1 of network 1 is NaN'),
  )
})
