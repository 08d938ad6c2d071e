import type { Device } from '../../../src/devices/device.js'
import { type RowStep } from '../../../src/devices/steps.js'
import { close } from '../../reference/close.js'
import { U, directional, normals, sum, valueLoss } from '../../reference/dense.js'
import { ROWS, each, f32, head, type Checks } from './setup.js'

function checkValueLoss(device: Device): void {
  const [v, old, target] = [normals(ROWS, 1), normals(ROWS, 2), normals(ROWS, 3, 8)]
  const weight = Float32Array.from({ length: ROWS }, (_, r) => (r % 4 ? 1 : 0))
  const tensors = {
    value: f32(device, v),
    old: f32(device, old),
    target: f32(device, target),
    weight: f32(device, weight),
  }
  const gvalue = device.tensor('f32', ROWS)
  for (const clip of [null, 0.2]) {
    const step: RowStep = {
      op: 'valueLoss',
      ...tensors,
      clip,
      huberDelta: 10,
      gvalue,
      sums: ['loss', 'weight'],
    }
    each(device, { rows: [step] }, (count, sums) => {
      const loss = (r: number, t: number) => weight[r] * valueLoss(v[r] + t, old[r], target[r], clip, 10)
      const losses = Array.from({ length: count }, (_, r) => loss(r, 0))
      close(
        [sums.loss, sums.weight],
        [sum(losses), sum(weight.subarray(0, count))],
        (i) => (i ? 0 : 1e-6 * sum(losses)),
        'sums',
      )
      const want = losses.map((_, r) => directional((t) => [loss(r, t)], 1e-6)[0])
      close(head(device, gvalue, count, 1), want, (r) => 4 * U * (Math.abs(want[r]) + 1) + 1e-7, 'gvalue')
    })
  }
}

export const valueChecks: Checks = {
  'the value loss': checkValueLoss,
}
