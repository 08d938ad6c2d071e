import assert from 'node:assert/strict'
import test from 'node:test'
import { ACTIVATIONS, type Activation, type RowStep } from '../../src/devices/steps.js'
import { scratch, type Tensor } from '../../src/devices/tensor.js'
import { WasmDevice } from '../../src/devices/wasm/device.js'
import { normals } from '../reference/dense.js'
import { bits, f32, f64, kernels } from './harness.js'

function tensorOf(device: WasmDevice, values: Float32Array): Tensor {
  const tensor = device.tensor('f32', values.length)
  device.write(tensor, values)
  return tensor
}

const BATCHES = [1, 2, 3, 4, 5, 7, 63, 64, 65, 127, 128, 129, 1003]
const WIDTHS = [...Array.from({ length: 19 }, (_, i) => i + 1), 128]
const MOST = Math.max(...BATCHES)

/** Kernel over rows. It reads `x` [rows, width] and writes `out` [rows, outputs]. */
type RowKernel = (x: number, out: number, rows: number) => void

/** Asserts that every row of a batch of any size has the bits of that row computed alone. */
function assertRowInvariant(what: string, width: number, outputs: number, kernel: RowKernel): void {
  const x = f32(normals(MOST * width, width + outputs, 2))
  const alone = f32(MOST * outputs)
  for (let r = 0; r < MOST; r++) {
    kernel(x.byteOffset + 4 * r * width, alone.byteOffset + 4 * r * outputs, 1)
  }
  const want = bits(alone)
  const out = f32(MOST * outputs)
  for (const rows of BATCHES) {
    out.fill(NaN)
    kernel(x.byteOffset, out.byteOffset, rows)
    assert.deepEqual(
      bits(out.subarray(0, rows * outputs)),
      want.subarray(0, rows * outputs),
      `${what}, ${rows} rows`,
    )
  }
}

test('gemm: any row of any batch equals that row alone', () => {
  for (const k of WIDTHS) {
    for (const n of k === 128 ? WIDTHS : [1, 3, 8, 13]) {
      const w = f32(normals(n * k, 3))
      const packed = f32(kernels.packedBytes(n, k) / 4).byteOffset
      kernels.packTransposed(w.byteOffset, n, k, packed, 0, n)
      const bias = f32(normals(n, 4)).byteOffset
      assertRowInvariant(`${k} to ${n}`, k, n, (x, out, rows) => {
        kernels.gemm(x, k, packed, bias, out, n, 0, rows, 0)
      })
    }
  }
})

test('LayerNorm, activations, input stage, log-probability: any row of any batch equals that row alone', () => {
  for (const n of WIDTHS) {
    const [gain, bias] = [f32(normals(n, 5)).byteOffset, f32(normals(n, 6)).byteOffset]
    assertRowInvariant(`LayerNorm of ${n}`, n, n, (x, out, rows) => {
      kernels.layerNorm(x, gain, bias, 0, 0, out, n, 0, rows)
    })
    const kind = n % ACTIVATIONS.length
    assertRowInvariant(`${ACTIVATIONS[kind]} of ${n}`, n, n, (x, out, rows) => {
      kernels.activation(x, out, 0, n, kind, 0, rows)
    })
    assertRowInvariant(`input stage of ${n}`, n, n + 2, (x, out, rows) => {
      kernels.inputStage(x, n, 1, 0, 2, 1, out, 0, rows)
    })
    const table = f64(4 * n).byteOffset
    kernels.gaussianTable(f32(normals(n, 7)).byteOffset, 1, 0.5, table, n)
    // Each row has its own action, at the offset of the row. An action shared by all rows would hide a wrong offset.
    const actions = f32(normals((MOST + 1) * n, 8)).byteOffset
    const first = { x: 0 }
    assertRowInvariant(`log-probability of ${n}`, n, 1, (x, out, rows) => {
      first.x ||= x
      kernels.gaussianLogProb(x, actions + (x - first.x), table, n, out, 0, rows)
    })
  }
})

test('the adjoint of the input stage: any row of any batch equals that row alone', () => {
  for (const n of WIDTHS) {
    const raw = f32(normals(MOST * n, 11)).byteOffset
    const first = { g: 0 }
    assertRowInvariant(`adjoint of ${n}`, n + 2, n, (g, out, rows) => {
      first.g ||= g
      const row = (g - first.g) / (n + 2)
      kernels.inputAdjoint(raw + row * n, n, 1, 0, 2, 1, g, out, 0, rows)
    })
  }
})

/** Steps of a network with an input stage and two hidden layers. Its inner matrices are in scratch memory. */
function networkSteps(device: WasmDevice, kind: Activation, raw: Tensor, out: Tensor): RowStep[] {
  let seed = 20
  const tensor = (n: number) => tensorOf(device, normals(n, seed++))
  const steps: RowStep[] = []
  let [x, inputs] = [scratch(19), 19]
  steps.push({ op: 'input', raw, size: 17, agentId: { index: 1, count: 2 }, standardise: true, out: x })
  for (const outputs of [19, 128]) {
    const [z, y] = [scratch(outputs), scratch(outputs)]
    const weights = { weight: tensor(outputs * inputs), bias: tensor(outputs) }
    const norm = { gamma: tensor(outputs), beta: tensor(outputs), xhat: null, rstd: null }
    steps.push(
      { op: 'linear', x, inputs, ...weights, y: z, outputs, accumulate: false },
      { op: 'activation', z, y: z, derivative: null, width: outputs, kind },
      { op: 'layerNorm', x: z, ...norm, out: y, width: outputs },
    )
    x = y
    inputs = outputs
  }
  const weights = { weight: tensor(3 * inputs), bias: tensor(3) }
  steps.push({ op: 'linear', x, inputs, ...weights, y: out, outputs: 3, accumulate: false })
  return steps
}

test('a whole network: any row of any batch equals that row alone', async () => {
  for (const activation of ACTIVATIONS) {
    const device = await WasmDevice.create()
    const [observations, result] = [tensorOf(device, normals(MOST * 17, 9)), device.tensor('f32', MOST * 3)]
    const rows = networkSteps(device, activation, observations, result)
    const program = device.compile({ rows }, MOST)
    const output = device.f32(result)
    const outputs = (rows: number) => {
      output.fill(NaN)
      device.run(program, rows)
      return bits(output.subarray(0, rows * 3))
    }
    const whole = outputs(MOST)
    for (const rows of BATCHES) assert.deepEqual(outputs(rows), whole.subarray(0, rows * 3), `${rows} rows`)
    const place = device.f32(observations)
    for (let r = 0; r < MOST; r += activation === 'relu' ? 1 : 29) {
      place.copyWithin(0, r * 17, (r + 1) * 17)
      assert.deepEqual(outputs(1), whole.subarray(3 * r, 3 * r + 3), `${activation}, row ${r}`)
    }
  }
})
