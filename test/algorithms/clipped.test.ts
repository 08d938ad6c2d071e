import assert from 'node:assert/strict'
import test from 'node:test'
import { ClippedUpdate } from '../../src/algorithms/clipped.js'
import { Adam } from '../../src/learner/adam.js'
import { PolicyBatch } from '../../src/learner/batch.js'
import { trainedPolicy } from '../../src/learner/policy.js'
import { Network } from '../../src/nn/network.js'
import { actorSpec, DEVICES, parametersOf, passError, tensorOf } from '../learner/setup.js'
import { close } from '../reference/close.js'
import { deviation, forward, gaussianKl, largest, normals, rowsOf, sum } from '../reference/dense.js'

const ROWS = 40

for (const { name: on, open } of DEVICES) {
  for (const miniBatches of [1, 3]) {
    test(`${on}: ${miniBatches} mini-batches: the KL is that from the policy before all epochs, over valid rows`, async () => {
      const device = await open()
      const spec = actorSpec({ layerNorm: true })
      const { size, stdX, stdY } = spec.head
      const before = parametersOf(spec, 1)
      const raw = normals(ROWS * 3, 2)
      const weight = Float32Array.from({ length: ROWS }, (_, r) => (r % 5 ? 1 : 0))
      const parameters = tensorOf(device, before)
      const batch = new PolicyBatch(device, ROWS, {
        observations: tensorOf(device, raw),
        actions: tensorOf(device, normals(ROWS * size, 3)),
        logProb: tensorOf(
          device,
          normals(ROWS, 4, 0.1).map((v) => v - 2),
        ),
        weight: tensorOf(device, weight),
      })
      device.write(batch.factor, normals(ROWS, 5))
      const rule = {
        clip: 0.5,
        entropyCoef: 0.1,
        maxGradNorm: null,
        epochs: 4,
        miniBatches,
        lr: 0.03,
        lrDecay: false,
      }
      const policy = trainedPolicy(device, new Network(device, spec, ROWS), parameters)
      const adam = new Adam(device, parameters, 1e-5)
      const order = (out: Int32Array) => out.forEach((_, i) => (out[i] = (7 * i) % ROWS))
      const update = new ClippedUpdate(policy, [0], batch, adam, rule, order)

      update.propose(0)
      const { klUsed } = update.commit()
      const policyAt = (at: ArrayLike<number>) => rowsOf(raw, 3).map((row) => forward(spec, at, row))
      const sigmaOf = (logStd: number[]) => logStd.map((v) => deviation(v, stdX, stdY))
      const old = policyAt(before)
      const updated = policyAt(device.read(parameters))
      const sigma = sigmaOf([...updated[0].logStd])
      const kls = old.map(({ output, logStd }, r) =>
        gaussianKl([...output], sigmaOf([...logStd]), [...updated[r].output], sigma),
      )
      const want = sum(kls.map((kl, r) => weight[r] * kl)) / sum(weight)
      assert.ok(want > 0.01, `KL ${want}`)
      // Means are off by passError of their size, on both sides; the KL moves with them by shift / sigma^2.
      const means = [...old, ...updated].flatMap(({ output }) => [...output])
      const shift = largest(
        old.flatMap(({ output }, r) => [...output].map((v, j) => v - updated[r].output[j])),
      )
      const slope = shift / Math.min(...sigma) ** 2
      close([klUsed], [want], 2 * size * slope * passError(spec) * largest(means), 'KL')
    })
  }
}
