import assert from 'node:assert/strict'
import type { Device } from '../../../src/devices/device.js'
import { explore, squash } from '../../../src/devices/reference/bounded.js'
import { close } from '../../reference/close.js'
import { directional, largest, normals, rowsOf, U } from '../../reference/dense.js'
import { each, f32, head, i32, ROWS, type Checks } from './setup.js'

const SIZE = 3
const LOW = [-1, -0.4, 2]
const HIGH = [1, 0.4, 5]
const SCALE = LOW.map((low, j) => Math.fround((HIGH[j] - low) / 2))
const OFFSET = LOW.map((low, j) => Math.fround((HIGH[j] + low) / 2))

function checkSquash(device: Device): void {
  const z = normals(ROWS * SIZE, 1, 2)
  const [action, derivative, alone] = [0, 1, 2].map(() => device.tensor('f32', ROWS * SIZE))
  const operands = { z: f32(device, z), scale: f32(device, SCALE), offset: f32(device, OFFSET), size: SIZE }
  each(
    device,
    {
      rows: [
        { op: 'squash', ...operands, action, derivative },
        { op: 'squash', ...operands, action: alone, derivative: null },
      ],
    },
    (count) => {
      const rows = rowsOf(z.subarray(0, count * SIZE), SIZE)
      const want = rows.flatMap((row) => squash(row, SCALE, OFFSET))
      const slopes = rows.flatMap((row) =>
        SCALE.map((factor, j) => factor * directional((t) => [Math.tanh(row[j] + t)], 1e-3)[0]),
      )
      const got = head(device, action, count, SIZE)
      close(got, want, 8 * U * largest(want), 'action')
      close(head(device, derivative, count, SIZE), slopes, 8 * U * largest(SCALE) + 1e-11, 'derivative')
      assert.deepEqual(head(device, alone, count, SIZE), got, 'without a derivative')
    },
  )
  device.run(
    device.compile(
      { rows: [{ op: 'squash', ...operands, z: alone, action: alone, derivative: null }] },
      ROWS,
    ),
    1,
  )
  const inPlace = squash(squash([...z.subarray(0, SIZE)], SCALE, OFFSET), SCALE, OFFSET)
  close(head(device, alone, 1, SIZE), inPlace, 64 * U * largest(inPlace), 'in place')
}

function checkExplore(device: Device): void {
  const warmup = 4
  const [seed, purpose, noise] = [0x1234567890, 7, 0.5]
  const mode = Float32Array.from(normals(ROWS * SIZE, 2), (v, i) => OFFSET[i % SIZE] + 0.3 * v)
  const streams = Array.from({ length: ROWS }, (_, r) => r % 5)
  const steps = Array.from({ length: ROWS }, (_, r) => (r * 3) % 11)
  const action = device.tensor('f32', ROWS * SIZE)
  const operands = { low: f32(device, LOW), high: f32(device, HIGH), size: SIZE }
  const key = { seed, purpose, streams: i32(device, streams), steps: i32(device, steps) }
  const step = { op: 'explore', mode: f32(device, mode), ...operands, noise, warmup, ...key, action } as const
  each(device, { rows: [step] }, (count) => {
    const want = rowsOf(mode.subarray(0, count * SIZE), SIZE).flatMap((row, r) =>
      explore(
        row,
        LOW.map(Math.fround),
        HIGH.map(Math.fround),
        { noise, warmup },
        { seed, purpose, stream: streams[r], step: steps[r] },
      ),
    )
    close(head(device, action, count, SIZE), want, 4 * U * largest(want), 'action')
  })
  const drawn = rowsOf(device.read(action), SIZE)
  const within = drawn.every((row) =>
    row.every((a, j) => a >= Math.fround(LOW[j]) && a <= Math.fround(HIGH[j])),
  )
  assert.ok(within, 'actions are within their bounds')
  const limited = drawn.flat().filter((a, i) => a === Math.fround(HIGH[i % SIZE])).length
  assert.ok(limited > 0 && limited < ROWS, 'some actions meet a bound')
}

function checkColumns(device: Device): void {
  const [before, count, after] = [2, 3, 4]
  const wide = before + count + after
  const x = normals(ROWS * count, 3)
  const target = normals(ROWS * wide, 4)
  const out = f32(device, target)
  const back = device.tensor('f32', ROWS * count)
  const columns = { before, count, after }
  const rows = [
    { op: 'place', x: f32(device, x), out, ...columns },
    { op: 'part', x: out, out: back, ...columns },
  ] as const
  each(device, { rows }, (n) => {
    const want = rowsOf(target.subarray(0, n * wide), wide).flatMap((row, r) => [
      ...row.slice(0, before),
      ...x.subarray(r * count, (r + 1) * count),
      ...row.slice(before + count),
    ])
    assert.deepEqual(head(device, out, n, wide), want, 'columns that are placed, and the others')
    assert.deepEqual(head(device, back, n, count), Array.from(x.subarray(0, n * count)), 'taken')
  })
}

export const boundedChecks: Checks = {
  'actions are squashed into their box, with the derivative': checkSquash,
  'exploring actions are uniform, then noisy, within their box': checkExplore,
  'columns are placed in a matrix and taken from it': checkColumns,
}
