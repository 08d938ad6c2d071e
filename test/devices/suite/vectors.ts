import assert from 'node:assert/strict'
import type { Device } from '../../../src/devices/device.js'
import { close } from '../../reference/close.js'
import { U, dot, moments, normals } from '../../reference/dense.js'
import { f32, i32, same, type Checks, type Subject } from './setup.js'

function checkVectors(device: Device): void {
  const n = 1003
  const [a, b] = [normals(n, 1), normals(n, 2)]
  const [x, y] = [f32(device, a), f32(device, b)]
  close([device.dot(x, y)], [dot(a, b)], 1e-10, 'dot')
  device.axpy(-1.7, x, y)
  let want = Array.from(b, (v, i) => v - 1.7 * a[i])
  // The factor, the product and the sum are each rounded.
  const bound = (i: number) => 2 * U * (2 * Math.abs(a[i]) + Math.abs(want[i]))
  close(device.read(y), want, bound, 'axpy')
  device.write(y, b)
  device.xpby(x, 0.3, y)
  want = Array.from(b, (v, i) => a[i] + 0.3 * v)
  close(device.read(y), want, (i) => 2 * U * (Math.abs(b[i]) + Math.abs(want[i])), 'xpby')
  device.scale(0.1, x)
  close(
    device.read(x),
    a.map((v) => 0.1 * v),
    (i) => 0.3 * U * Math.abs(a[i]),
    'scale',
  )
  device.copy(y, x)
  assert.deepEqual(device.read(x), device.read(y))
  device.write(x, a)
  device.multiply(x, y)
  close(
    device.read(y),
    Array.from(a, (v, i) => v * want[i]),
    (i) => 4 * U * (Math.abs(b[i]) + Math.abs(want[i])) * Math.abs(a[i]),
    'multiply',
  )
  device.fill(x, -2.5)
  assert.ok(device.read(x).every((v) => v === -2.5))
  device.write(x, b)
  const mask = Float32Array.from({ length: n }, (_, i) => (i % 3 ? 1 : 0))
  device.multiplyByRatio(x, f32(device, a), f32(device, b), f32(device, mask))
  close(
    device.read(x).filter((_, i) => mask[i] === 0),
    b.filter((_, i) => mask[i] === 0),
    0,
    'rows of weight 0',
  )
  device.write(x, b)
  device.multiplyByRatio(x, f32(device, a), f32(device, b), null)
  close(
    device.read(x),
    Array.from(b, (v, i) => v * Math.exp(a[i] - b[i])),
    (i) => {
      const d = a[i] - b[i]
      return (Math.abs(d) + 4) * U * Math.abs(b[i]) * Math.exp(d)
    },
    'ratio',
  )
  assert.equal(device.allFinite(x), true)
  for (const [at, bad] of [
    [0, NaN],
    [500, Infinity],
    [n - 1, -Infinity],
  ] as const) {
    device.write(device.slice(x, at, 1), [bad])
    assert.equal(device.allFinite(x), false)
    device.write(device.slice(x, at, 1), [0])
  }
  assert.equal(device.allFinite(x), true)
}

function checkStandardise(device: Device): void {
  const n = 500
  const values = normals(n, 3, 4).map((v) => v + 1)
  const weight = Float32Array.from({ length: n }, (_, i) => (i % 7 === 0 ? 0 : 1))
  const x = f32(device, values)
  device.standardise(x, f32(device, weight), 1e-5)
  const { mean, variance } = moments(values.filter((_, i) => weight[i] === 1))
  const want = Array.from(values, (v) => (v - mean) / (Math.sqrt(variance) + 1e-5))
  close(
    device.read(x),
    want,
    (i) => (4 * U * (Math.abs(values[i]) + Math.abs(mean))) / Math.sqrt(variance),
    'x',
  )
  const kept = device.read(x)
  device.standardise(x, device.tensor('f32', n), 1e-5)
  assert.deepEqual(device.read(x), kept, 'without elements of nonzero weight')
}

function checkAdam(device: Device): void {
  const n = 37
  const [start, slopes] = [normals(n, 1), normals(n, 2)]
  const parameters = f32(device, start)
  const [g, m, v] = [f32(device, slopes), device.tensor('f32', n), device.tensor('f32', n)]
  const options = { lr: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-5, gradScale: 0.5 }
  let [power1, power2] = [1, 1]
  const want = Array.from(start)
  const [m64, v64] = [want.map(() => 0), want.map(() => 0)]
  for (let step = 0; step < 3; step++) {
    power1 *= 0.9
    power2 *= 0.999
    device.adam(parameters, g, m, v, { ...options, power1, power2 })
    slopes.forEach((slope, i) => {
      const d = 0.5 * slope
      m64[i] = 0.9 * m64[i] + 0.1 * d
      v64[i] = 0.999 * v64[i] + 0.001 * d * d
      want[i] -= (0.01 * (m64[i] / (1 - power1))) / (Math.sqrt(v64[i] / (1 - power2)) + 1e-5)
    })
  }
  // Three steps of about lr, each with a dozen roundings and one rounding of the parameter.
  close(
    device.read(parameters),
    want,
    (i) => 3 * (12 * U * 0.011 + U * (Math.abs(start[i]) + 0.04)),
    'parameters',
  )
  close(device.read(m), m64, (i) => 12 * U * Math.abs(m64[i]), 'm')
  close(device.read(v), v64, (i) => 16 * U * v64[i], 'v')
}

function checkPickAndReplace(device: Device): void {
  const values = normals(50, 1)
  const index = Array.from({ length: 80 }, (_, i) => (i * 13) % 50)
  const out = device.tensor('f32', 80)
  device.pick(f32(device, values), i32(device, index), out)
  assert.deepEqual(
    Array.from(device.read(out)),
    index.map((i) => values[i]),
  )
  const other = normals(80, 2)
  const weight = Float32Array.from(index, (i) => (i % 3 === 0 ? 0 : i % 3 === 1 ? 1 : 0.5))
  device.replace(out, f32(device, other), f32(device, weight))
  assert.deepEqual(
    Array.from(device.read(out)),
    index.map((from, i) => (weight[i] === 0 ? other[i] : values[from])),
  )
}

/** Both maps are f64 arithmetic with one rounding, into another tensor or in place. */
function checkNormalise(device: Device, subject: Subject): void {
  const values = normals(301, 1, 3)
  const [mean, deviation] = [0.7, 1 / 3]
  const maps = {
    normalise: (v: number) => (v - mean) / deviation,
    denormalise: (v: number) => v * deviation + mean,
  }
  for (const [name, map] of Object.entries(maps) as [keyof typeof maps, (v: number) => number][]) {
    const x = f32(device, values)
    const out = device.tensor('f32', values.length)
    const want = Float32Array.from(values, map)
    const bound = (i: number) => 4 * U * (Math.abs(values[i]) + 1) * 3
    device[name](x, mean, deviation, out)
    same(subject, device.read(out), want, bound, name)
    assert.deepEqual(device.read(x), values)
    device[name](x, mean, deviation, x)
    same(subject, device.read(x), want, bound, `${name} in place`)
  }
}

export const vectorsChecks: Checks = {
  'vector operations': checkVectors,
  'standardise over the rows of nonzero weight': checkStandardise,
  'pick and replace': checkPickAndReplace,
  'normalise and denormalise': checkNormalise,
  'Adam takes the published step': checkAdam,
}
