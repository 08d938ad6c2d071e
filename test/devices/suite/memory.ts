import assert from 'node:assert/strict'
import type { Device } from '../../../src/devices/device.js'
import { type ProgramSpec } from '../../../src/devices/steps.js'
import type { Tensor } from '../../../src/devices/tensor.js'
import type { Checks, Subject } from './setup.js'

const TYPES = ['f32', 'f64', 'i32', 'u8'] as const

function checkTensors(device: Device): void {
  for (const type of TYPES) {
    const tensor = device.tensor(type, 5)
    assert.deepEqual([tensor.type, tensor.length], [type, 5])
    assert.deepEqual([...device.read(tensor)], [0, 0, 0, 0, 0], 'new memory is zero')
    const values = [1, type === 'u8' ? 255 : -2, 3, 4, 5]
    device.write(tensor, values)
    const copy = device.read(tensor)
    assert.ok(copy instanceof { f32: Float32Array, f64: Float64Array, i32: Int32Array, u8: Uint8Array }[type])
    assert.deepEqual([...copy], values)
    copy[0] = 9
    assert.equal(device.read(tensor)[0], 1, 'read gives a copy')
    assert.throws(() => device.write(tensor, [1, 2]), RangeError)
    const same = device.tensor(type, 5)
    device.copy(tensor, same)
    assert.deepEqual([...device.read(same)], values, 'copies work for any type')
  }
  const third = device.tensor('f64', 1)
  device.write(third, [1 / 3])
  assert.equal(device.read(third)[0], 1 / 3, 'f64 is not rounded')
}

/** A slice is a tensor over the same memory. */
function checkSlices(device: Device): void {
  for (const type of TYPES) {
    const tensor = device.tensor(type, 5)
    device.write(tensor, [1, 2, 3, 4, 5])
    const part = device.slice(tensor, 1, 3)
    assert.deepEqual([part.type, part.length], [type, 3])
    assert.deepEqual([...device.read(part)], [2, 3, 4])
    device.write(part, [7, 8, 9])
    assert.deepEqual([...device.read(tensor)], [1, 7, 8, 9, 5])
    const inner = device.slice(part, 1, 2)
    assert.deepEqual([...device.read(inner)], [8, 9], 'slices of slices')
    device.write(tensor, [6, 5, 4, 3, 2])
    assert.deepEqual([...device.read(inner)], [4, 3])
    assert.deepEqual([...device.read(device.slice(tensor, 0, 5))], [6, 5, 4, 3, 2])
    assert.equal(device.slice(tensor, 5, 0).length, 0)
    for (const [start, length] of [
      [3, 3],
      [-1, 2],
      [6, 0],
      [0, 6],
    ])
      assert.throws(() => device.slice(tensor, start, length), RangeError, `${length} from ${start}`)
  }
  // Operations on a slice with any start do not change adjacent elements.
  for (const start of [1, 2, 3, 5]) {
    const x = device.tensor('f32', 40)
    const part = device.slice(x, start, 33)
    device.fill(part, 2)
    device.scale(0.5, part)
    const want = Array.from({ length: 40 }, (_, i) => (i >= start && i < start + 33 ? 1 : 0))
    assert.deepEqual([...device.read(x)], want)
  }
}

function checkMirrors(device: Device, { array }: Subject): void {
  for (const type of TYPES) {
    const host = array(type, 4)
    host.set([1, 2, 3, 4])
    const { tensor, upload, download } = device.mirror(host)
    assert.deepEqual([tensor.type, tensor.length], [type, 4])
    assert.deepEqual([...device.read(tensor)], [1, 2, 3, 4], 'the contents at first')
    host.set([5, 6], 1)
    upload()
    assert.deepEqual([...device.read(tensor)], [1, 5, 6, 4], 'uploaded')
    device.write(device.slice(tensor, 2, 2), [8, 9])
    download()
    assert.deepEqual([...host], [1, 5, 8, 9], 'downloaded')
    const part = device.mirror(host.subarray(1, 3))
    assert.deepEqual([...device.read(part.tensor)], [5, 8], 'a part of an array')
    device.write(part.tensor, [3, 2])
    part.download()
    assert.deepEqual([...host], [1, 3, 2, 9], 'and the rest of the array is unchanged')
  }
}

function checkOverlay(device: Device): void {
  const [a, b, c] = device.overlay<Tensor | Tensor[]>([
    () => device.tensor('f32', 100),
    () => [device.tensor('f32', 30), device.tensor('f32', 300)],
    () => device.tensor('f64', 3),
  ]) as [Tensor, Tensor[], Tensor]
  const after = device.tensor('f32', 50)
  device.fill(after, 3)
  // Tensors of one builder do not overlap. Tensors allocated after the overlay overlap none of its tensors.
  device.fill(b[0], 1)
  device.fill(b[1], 2)
  assert.ok(device.read(b[0]).every((v) => v === 1))
  assert.ok(device.read(b[1]).every((v) => v === 2))
  device.fill(a, 4)
  device.write(c, [5, 6, 7])
  assert.ok(device.read(after).every((v) => v === 3))
  const spec: ProgramSpec = { rows: [] }
  assert.throws(() => device.overlay([() => device.compile(spec, 1)]), /overlay/)
  assert.equal(device.compile(spec, 1).maxRows, 1, 'compiling works again afterwards')
}

function checkProgramErrors(device: Device): void {
  const out = device.tensor('f32', 8)
  const program = device.compile({ rows: [{ op: 'multiply', a: out, b: out, out, width: 2 }] }, 4)
  for (const rows of [0, -1, 5, 1.5, NaN])
    assert.throws(() => device.run(program, rows), RangeError, `${rows} rows`)
  assert.throws(() => device.run({ maxRows: 4 }, 1), TypeError, 'an object that is not a program')
}

const ADAM = { lr: 0.1, beta1: 0.9, beta2: 0.999, eps: 1e-5, power1: 0.9, power2: 0.999, gradScale: 1 }
const GAE = { gamma: 0.9, lambda: 0.9, truncation: 'bootstrap' } as const

/** Calls with tensors x, one of which may be invalid. `i` takes an i32 tensor and `u` a u8 tensor. */
function calls(device: Device, f: readonly Tensor[], i: Tensor, u: Tensor): Record<string, () => unknown> {
  const [a, b, c, d, e] = f
  const rollout = { steps: 2, envs: 4, rewards: a, values: b, nextValues: c, ends: u }
  return {
    dot: () => device.dot(a, b),
    axpy: () => device.axpy(1, a, b),
    xpby: () => device.xpby(a, 1, b),
    copy: () => device.copy(a, b),
    multiply: () => device.multiply(a, b),
    multiplyByRatio: () => device.multiplyByRatio(a, b, c, d),
    pick: () => device.pick(a, i, b),
    replace: () => device.replace(a, b, c),
    normalise: () => device.normalise(a, 0, 1, b),
    denormalise: () => device.denormalise(a, 0, 1, b),
    standardise: () => device.standardise(a, b, 1e-5),
    moments: () => device.moments(a, b),
    spread: () => device.spread(a, b, c),
    adam: () => device.adam(a, b, c, d, ADAM),
    gae: () => device.gae(rollout, GAE, d, e),
  }
}

/** Number of f32 tensors of each call. */
const OPERANDS: Readonly<Record<string, number>> = {
  multiplyByRatio: 4,
  replace: 3,
  spread: 3,
  adam: 4,
  gae: 5,
}

/** Length and type of every operand of every operation are checked. */
function checkOperands(device: Device): void {
  const good = () => Array.from({ length: 5 }, () => device.tensor('f32', 8))
  const [i, u] = [device.tensor('i32', 8), device.tensor('u8', 8)]
  for (const call of Object.values(calls(device, good(), i, u))) call()
  for (const name of Object.keys(calls(device, good(), i, u))) {
    for (let at = 0; at < (OPERANDS[name] ?? 2); at++) {
      const withWrong = (wrong: Tensor) => calls(device, good().with(at, wrong), i, u)[name]
      // `pick` takes a source of any length.
      if (!(name === 'pick' && at === 0))
        assert.throws(withWrong(device.tensor('f32', 7)), RangeError, `${name}, length of operand ${at}`)
      assert.throws(withWrong(device.tensor('i32', 8)), TypeError, `${name}, type of operand ${at}`)
    }
  }
  const [x] = good()
  const others = calls(device, good(), u, i)
  for (const name of ['pick', 'gae']) assert.throws(others[name], TypeError, `${name}, type of its integers`)
  const short = calls(device, good(), device.tensor('i32', 7), device.tensor('u8', 7))
  for (const name of ['pick', 'gae'])
    assert.throws(short[name], RangeError, `${name}, length of its integers`)
  assert.throws(() => device.copy(x, device.tensor('f64', 8)), TypeError)
  for (const call of [
    () => device.scale(2, i),
    () => device.fill(i, 2),
    () => device.sum(i),
    () => device.allFinite(i),
  ])
    assert.throws(call, TypeError)
}

export const memoryChecks: Checks = {
  'tensors are written and read': checkTensors,
  'overlaid builders share memory only with each other': checkOverlay,
  'slices share the memory': checkSlices,
  'mirrors of arrays': checkMirrors,
  'invalid row counts and programs are errors': checkProgramErrors,
  'invalid lengths and types are errors': checkOperands,
}
