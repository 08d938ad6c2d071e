import assert from 'node:assert/strict'
import type { Device } from '../../../src/devices/device.js'
import type { AgentIdInput, RowStep } from '../../../src/devices/steps.js'
import { close } from '../../reference/close.js'
import { directional, dot, inputStage, largest, moments, normals, rowsOf, U } from '../../reference/dense.js'
import { COUNTS, each, f32, head, i32, ROWS, type Checks } from './setup.js'

const SIZE = 5
const COUNT = 3

/** Ids of each kind: the step's argument, and the id of each row. */
function ids(device: Device): { agentId: AgentIdInput | null; of: (r: number) => number; count: number }[] {
  const column = Array.from({ length: ROWS }, (_, r) => (r * r) % COUNT)
  return [
    { agentId: null, of: () => 0, count: 0 },
    { agentId: { index: 1, count: COUNT }, of: () => 1, count: COUNT },
    { agentId: { indices: i32(device, column), count: COUNT }, of: (r) => column[r], count: COUNT },
  ]
}

/** Raw rows. The seventh of every ten is constant. */
function rawRows(): Float32Array {
  const raw = normals(ROWS * SIZE, 1)
  for (let r = 6; r < ROWS; r += 10) raw.fill(raw[r * SIZE], r * SIZE, (r + 1) * SIZE)
  return raw
}

function checkInput(device: Device): void {
  const raw = rawRows()
  for (const { agentId, of, count: idCount } of ids(device)) {
    for (const standardise of [true, false]) {
      const width = SIZE + idCount
      const out = device.tensor('f32', ROWS * width)
      const rows: RowStep[] = [{ op: 'input', raw: f32(device, raw), size: SIZE, agentId, standardise, out }]
      each(device, { rows }, (count) => {
        const want = rowsOf(raw.subarray(0, count * SIZE), SIZE).flatMap((row, r) =>
          inputStage({ agentId: agentId && { index: of(r), count: idCount }, standardise }, row),
        )
        const got = head(device, out, count, width)
        close(got, want, standardise ? 8 * U * largest(want) : 0, 'out')
        if (count > 6 && standardise && !agentId)
          assert.deepEqual(got.slice(6 * width, 7 * width), [0, 0, 0, 0, 0], 'a constant vector')
      })
    }
  }
}

function checkInputAdjoint(device: Device): void {
  const raw = rawRows()
  for (const { agentId, of, count: idCount } of ids(device)) {
    for (const standardise of [true, false]) {
      const width = SIZE + idCount
      const g = normals(ROWS * width, 2)
      const graw = device.tensor('f32', ROWS * SIZE)
      const operands = { raw: f32(device, raw), size: SIZE, agentId, standardise }
      each(device, { rows: [{ op: 'inputAdjoint', ...operands, g: f32(device, g), graw }] }, (count) => {
        const got = rowsOf(head(device, graw, count, SIZE), SIZE)
        // Every row of a small batch and every seventh row of a large one.
        for (let r = 0; r < count; r += count > 100 ? 7 : 1) {
          const row = Array.from(raw.subarray(r * SIZE, (r + 1) * SIZE))
          const cotangent = g.subarray(r * width, (r + 1) * width)
          const id = agentId && { index: of(r), count: idCount }
          const { variance } = moments(inputStage({ agentId: id, standardise: false }, row))
          if (variance === 0 && standardise) {
            assert.deepEqual(got[r], [0, 0, 0, 0, 0], 'adjoint at a constant vector')
            continue
          }
          const deviation = standardise ? Math.sqrt(variance) : 1
          // The steps of the differences are small compared with the deviation of the vector.
          const h = 1e-3 * Math.min(1, deviation)
          const want = row.map((_, i) => {
            const moved = (t: number) => row.map((v, j) => (i === j ? v + t : v))
            return dot(
              directional((t) => inputStage({ agentId: id, standardise }, moved(t)), h),
              cotangent,
            )
          })
          // g, its mean and its component along y, all of the order of g, divided by the deviation.
          const bound = (16 * U * width * (1 + largest(row)) * largest(cotangent)) / deviation
          close(got[r], want, bound + 1e-9, 'graw')
        }
      })
    }
  }
}

function checkGatherAndCopy(device: Device): void {
  const [width, sourceRows] = [3, 1000]
  const source = normals(sourceRows * width, 1)
  const order = Array.from({ length: ROWS }, (_, r) => (r * 337) % sourceRows)
  const [picked, copied] = [device.tensor('f32', ROWS * width), device.tensor('f32', ROWS * width)]
  const rows: RowStep[] = [
    { op: 'gather', source: f32(device, source), index: i32(device, order), width, out: picked },
    { op: 'copy', x: picked, out: copied, width },
  ]
  const program = device.compile({ rows }, ROWS)
  for (const count of [...COUNTS].reverse()) {
    device.fill(picked, 7)
    device.fill(copied, 7)
    device.run(program, count)
    const want = Array.from({ length: ROWS * width }, (_, i) =>
      i < count * width ? source[order[Math.floor(i / width)] * width + (i % width)] : 7,
    )
    assert.deepEqual(Array.from(device.read(picked)), want, 'only the gathered rows')
    assert.deepEqual(Array.from(device.read(copied)), want, 'only the copied rows')
  }
}

export const inputChecks: Checks = {
  'the input stage, with a constant id, with a column of ids and without an id': checkInput,
  'the adjoint of the input stage': checkInputAdjoint,
  'gather and copy': checkGatherAndCopy,
}
