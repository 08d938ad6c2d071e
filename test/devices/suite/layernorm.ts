import type { Device } from '../../../src/devices/device.js'
import { type RowStep } from '../../../src/devices/steps.js'
import type { Tensor } from '../../../src/devices/tensor.js'
import { close } from '../../reference/close.js'
import { directional, dot, gamma, largest, layerNorm, normals, sum } from '../../reference/dense.js'
import { ROWS, each, f32, type Checks } from './setup.js'

function checkLayerNorm(device: Device): void {
  for (const width of [3, 8, 13]) {
    const x = normals(ROWS * width, 1, 2)
    const [gain, bias, dgain, dbias] = [
      normals(width, 2),
      normals(width, 3),
      normals(width, 4),
      normals(width, 5),
    ]
    const [dx, g] = [normals(ROWS * width, 6), normals(ROWS * width, 7)]
    const matrix = () => device.tensor('f32', ROWS * width)
    const kept = { xhat: matrix(), rstd: device.tensor('f32', ROWS) }
    const [out, tangent, fromParameters, gx] = [matrix(), matrix(), matrix(), matrix()]
    const gradient = device.tensor('f32', 2 * width)
    const at = { gamma: f32(device, gain), width }
    const moved = { dgamma: f32(device, dgain), dbeta: f32(device, dbias) }
    const gs = f32(device, g)
    const rows: RowStep[] = [
      { op: 'layerNorm', x: f32(device, x), beta: f32(device, bias), ...kept, out, ...at },
      { op: 'layerNormTangent', dx: f32(device, dx), ...kept, ...moved, out: tangent, ...at },
      { op: 'layerNormTangent', dx: null, ...kept, ...moved, out: fromParameters, ...at },
      { op: 'layerNormAdjoint', g: gs, ...kept, gx, ...at },
      { op: 'layerNormWeights', g: gs, xhat: kept.xhat, width, gamma: width, beta: 0 },
    ]
    each(device, { rows, gradient }, (count) => {
      const part = (v: Float32Array, r: number) => v.subarray(r * width, (r + 1) * width)
      const read = (v: Tensor) => device.read(v) as Float32Array
      const [hats, scales, outs, tangents, still, gxs] = [
        kept.xhat,
        kept.rstd,
        out,
        tangent,
        fromParameters,
        gx,
      ].map(read)
      // Every row of a small batch and every seventh row of a large one.
      for (let r = 0; r < count; r += count > 100 ? 7 : 1) {
        const row = part(x, r)
        // Rounding of sums over the row, amplified by max|x| / deviation.
        const condition = 1 + largest(row) * scales[r]
        const bound = 4 * gamma(width) * condition * (1 + largest(gain) + largest(bias))
        close(part(outs, r), layerNorm(row, gain, bias), bound, 'out')
        const plus = (v: ArrayLike<number>, d: ArrayLike<number>, t: number) =>
          Array.from(v, (a, i) => a + t * d[i])
        const along = (move: number) =>
          directional((t) =>
            layerNorm(plus(row, part(dx, r), move * t), plus(gain, dgain, t), plus(bias, dbias, t)),
          )
        const size =
          1 + (largest(part(dx, r)) + largest(part(g, r))) * scales[r] * largest(gain) + largest(dgain)
        close(part(tangents, r), along(1), 8 * bound * size, 'tangent')
        close(part(still, r), along(0), 8 * bound * size, 'tangent of the parameters')
        const adjoint = row.map((_, i) => {
          const unit = row.map((__, j) => (i === j ? 1 : 0))
          return dot(
            directional((t) => layerNorm(plus(row, unit, t), gain, bias)),
            part(g, r),
          )
        })
        close(part(gxs, r), adjoint, 8 * bound * size * width, 'adjoint')
      }
      const want = Array.from({ length: 2 * width }, (_, j) => {
        const terms = Array.from(
          { length: count },
          (__, r) => g[r * width + (j % width)] * (j < width ? 1 : hats[r * width + (j % width)]),
        )
        return [sum(terms), sum(terms.map(Math.abs))] as const
      })
      close(
        device.read(gradient),
        want.map(([v]) => v),
        (i) => gamma(count) * want[i][1] + 1e-12,
        'gradient',
      )
    })
  }
}

export const layernormChecks: Checks = {
  'LayerNorm, its tangent, its adjoint and its gradient': checkLayerNorm,
}
