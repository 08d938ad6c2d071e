import assert from 'node:assert/strict'
import test from 'node:test'
import type { PolicyUpdate } from '../../src/algorithms/agent-update.js'
import { ClippedUpdate } from '../../src/algorithms/clipped.js'
import { optimalShares } from '../../src/algorithms/kl-allocation.js'
import { TrustRegionUpdate } from '../../src/algorithms/trust-region.js'
import type { Device } from '../../src/devices/device.js'
import { Adam } from '../../src/learner/adam.js'
import { PolicyBatch } from '../../src/learner/batch.js'
import { PolicyEvaluation, trainedPolicy, Workspace } from '../../src/learner/policy.js'
import { Network } from '../../src/nn/network.js'
import { actorSpec, DEVICES, parametersOf, tensorOf, waysOf, type Way } from '../learner/setup.js'
import { close } from '../reference/close.js'
import { normals } from '../reference/dense.js'
import { fixture, tinyConfig, trained } from '../training/runs.js'

const ROWS = 30
const DELTA = 0.01
const TRUST_REGION = {
  delta: DELTA,
  damping: 0.1,
  cgIterations: 10,
  cgTolerance: 1e-10,
  lineSearchSteps: 10,
  backtrack: 0.8,
  acceptRatio: 0.5,
}
const CLIPPED = { clip: 0.2, entropyCoef: 0.01, maxGradNorm: null, epochs: 2, lr: 0.01, lrDecay: false }
const SPECS = [actorSpec({ layerNorm: true }), actorSpec({ hidden: [7] }, 3)]

const inOrder = (out: Int32Array) => out.forEach((_, i) => (out[i] = i))

/**
 * Updates of two policies whose activations lie in the same memory.
 * @param workspaces of each: the same one, as they must have, or one each
 */
function pair(device: Device, workspaces: readonly Workspace[], { derive } = waysOf(SPECS[0])[0]) {
  const shared = device.overlay(
    SPECS.map((spec) => () => {
      const network = new Network(device, spec, ROWS)
      return { network, derivatives: derive(device, network) }
    }),
  )
  return SPECS.map((spec, i) => {
    const parameters = tensorOf(device, parametersOf(spec, 1 + i))
    const { network, derivatives } = shared[i]
    const policy = trainedPolicy(device, network, parameters, { workspace: workspaces[i], derivatives })
    const batch = new PolicyBatch(device, ROWS, {
      observations: tensorOf(device, normals(ROWS * spec.input.size, 10 + i)),
      actions: tensorOf(device, normals(ROWS * spec.head.size, 20 + i)),
      logProb: device.tensor('f32', ROWS),
      factor: tensorOf(device, normals(ROWS, 40 + i)),
    })
    // The rollout's policy is the current one.
    new PolicyEvaluation(policy, batch, false).evaluate(ROWS)
    device.copy(batch.newLogProb, batch.logProb)
    const update = new TrustRegionUpdate(policy, [i], batch, { ...TRUST_REGION, miniBatches: 1 }, inOrder)
    const product = (direction: ArrayLike<number>) => {
      const out = device.tensor('f32', parameters.length)
      update.step.fisherProduct(tensorOf(device, direction), out)
      return device.read(out)
    }
    return { update, parameters, batch, product }
  })
}

for (const { name: on, open } of DEVICES) {
  /** Everything that the first policy's update computes, with the second's updates in between or not. */
  const course = async (between: boolean, workspaces: readonly Workspace[], way: Way) => {
    const device = await open()
    const [first, second] = pair(device, workspaces, way)
    const direction = normals(first.parameters.length, 50)
    const gains = first.update.propose()
    if (between) {
      second.update.propose()
      assert.ok(second.update.commit(DELTA).accepted)
    }
    const product = first.product(direction)
    if (between) {
      second.update.propose()
      second.update.commit(DELTA)
    }
    const outcome = first.update.commit(DELTA)
    assert.ok(outcome.accepted)
    return {
      gain: gains!.gainAt(DELTA),
      product,
      outcome,
      parameters: device.read(first.parameters),
      logProb: device.read(first.batch.newLogProb),
    }
  }

  test(`${on}: a Fisher product and a commit after another policy's passes have the same bits`, async () => {
    const one = () => {
      const workspace = new Workspace()
      return [workspace, workspace]
    }
    for (const way of waysOf(SPECS[0])) {
      const alone = await course(false, one(), way)
      assert.deepEqual(await course(true, one(), way), alone, way.way)
      // If policies share memory, the product is correct because the owner of the activations is recorded.
      if (on === 'reference') continue
      const unowned = await course(true, [new Workspace(), new Workspace()], way)
      assert.notDeepEqual(unowned.product, alone.product, way.way)
    }
  })

  test(`${on}: a forecast is the gain that the line search predicts for a budget, and grows as its root`, async () => {
    for (const budget of [1e-6, 1e-4]) {
      const [{ update }] = pair(await open(), [new Workspace(), new Workspace()])
      const { gainAt } = update.propose()!
      const forecast = gainAt(budget)
      assert.ok(forecast > 0)
      assert.equal(gainAt(0), 0)
      close([gainAt(4 * budget)], [2 * forecast], 1e-12 * forecast, 'four times the budget')
      update.commit(budget)
      const [{ trials }] = update.results
      assert.equal(trials[0].predictedGain, forecast)
      // The gain is the slope along the step and a term of second order in it, thus of first order in the budget's root.
      close([trials[0].gain], [forecast], 20 * Math.sqrt(budget) * forecast, 'gain of a small step')
    }
  })

  test(`${on}: an attempt predicts a commit and changes nothing; a commit without a budget changes nothing`, async () => {
    const updated = async (budgets: readonly number[], budget: number) => {
      const device = await open()
      const [{ update, parameters, batch }] = pair(device, [new Workspace(), new Workspace()])
      const before = device.read(parameters)
      const { score, gainAt, attempt } = update.propose()!
      close([Math.sqrt(2 * score * DELTA)], [gainAt(DELTA)], 1e-12 * gainAt(DELTA), 'gain of the score')
      const attempts = budgets.map((kl) => attempt(kl))
      assert.deepEqual(device.read(parameters), before)
      const outcome = update.commit(budget)
      const after = device.read(parameters)
      return { attempts, outcome, before, after, logProb: device.read(batch.newLogProb), batch, device }
    }
    const alone = await updated([], DELTA)
    const { attempts, outcome, after, logProb } = await updated([4 * DELTA, DELTA, 0], DELTA)
    assert.deepEqual(after, alone.after)
    assert.deepEqual(logProb, alone.logProb)
    assert.equal(attempts[1].gain, outcome.realisedGain)
    assert.equal(attempts[1].kl, outcome.klUsed)
    assert.ok(outcome.klUsed > 0 && attempts[0].kl > outcome.klUsed)
    assert.deepEqual([attempts[2].gain, attempts[2].kl], [0, 0])

    const none = await updated([], 0)
    assert.deepEqual(none.after, none.before)
    assert.deepEqual(none.logProb, none.device.read(none.batch.logProb))
    const { klUsed, klAllowed, rejection, lineSearchTrials } = none.outcome
    assert.deepEqual([klUsed, klAllowed, rejection, lineSearchTrials], [0, 0, 'no-budget', 0])
  })

  test(`${on}: with optimal shares of the local model, the steps are one natural-gradient step of the joint policy`, async () => {
    const updates = pair(await open(), [new Workspace(), new Workspace()]).map(({ update }) => update)
    const forecasts = updates.map((update) => update.propose()!)
    const scores = forecasts.map(({ score }) => score)
    const shares = optimalShares(scores, 2 * DELTA, { min: 0, max: Infinity })
    updates.forEach((update, i) => update.commit(shares[i]))
    const joint = Math.sqrt((2 * 2 * DELTA) / (scores[0] + scores[1]))
    updates.forEach(({ results: [{ stepScale, curvature }] }, i) => {
      const slope = forecasts[i].gainAt(1) / Math.sqrt(2 / curvature)
      close([stepScale], [(joint * slope) / curvature], 1e-12 * joint, 'multiplier')
      // Of CG's solution x, g'x and x'(H + cI)x differ by the orthogonality that its residuals lose in f32.
      close([slope / curvature], [1], 1e-3, 'slope of a solution')
    })
    assert.ok(Math.abs(scores[0] / scores[1] - 1) > 0.01)
  })

  test(`${on}: commit without propose is an error, and so is a second one`, async () => {
    const device = await open()
    const [{ update }, second] = pair(device, [new Workspace(), new Workspace()])
    const adam = new Adam(device, second.parameters, 1e-5)
    const policy = trainedPolicy(device, new Network(device, SPECS[1], ROWS), second.parameters)
    const clipped = new ClippedUpdate(
      policy,
      [1],
      second.batch,
      adam,
      { ...CLIPPED, miniBatches: 1 },
      inOrder,
    )
    for (const rule of [update, clipped] as PolicyUpdate[]) {
      assert.throws(() => rule.commit(DELTA), /^Error: commit\(\) without propose\(\)$/)
      rule.propose(0)
      rule.commit(DELTA)
      assert.throws(() => rule.commit(DELTA), /^Error: commit\(\) without propose\(\)$/)
    }
  })

  for (const miniBatches of [1, 3]) {
    // With three mini-batches in order, only the rows of the first ones are active.
    for (const active of [0, ROWS / 3]) {
      test(`${on}: ${miniBatches} mini-batches, ${active} active rows: mini-batches without active rows are skipped and counted`, async () => {
        const device = await open()
        const spec = SPECS[0]
        const make = (seed: number) => {
          const parameters = tensorOf(device, parametersOf(spec, seed))
          const policy = trainedPolicy(device, new Network(device, spec, ROWS), parameters)
          const batch = new PolicyBatch(device, ROWS, {
            observations: tensorOf(device, normals(ROWS * 3, 2)),
            actions: tensorOf(device, normals(ROWS * 2, 3)),
            logProb: device.tensor('f32', ROWS),
            factor: tensorOf(device, normals(ROWS, 4)),
            weight: tensorOf(
              device,
              Float32Array.from({ length: ROWS }, (_, r) => (r < active ? 1 : 0)),
            ),
          })
          new PolicyEvaluation(policy, batch, false).evaluate(ROWS)
          device.copy(batch.newLogProb, batch.logProb)
          return { parameters, policy, batch, before: device.read(parameters) }
        }
        const [first, second] = [make(1), make(1)]
        const region = { ...TRUST_REGION, miniBatches }
        const adam = new Adam(device, second.parameters, 1e-5)
        const rules: [PolicyUpdate, typeof first, epochs: number][] = [
          [new TrustRegionUpdate(first.policy, [0], first.batch, region, inOrder), first, 1],
          [
            new ClippedUpdate(second.policy, [0], second.batch, adam, { ...CLIPPED, miniBatches }, inOrder),
            second,
            CLIPPED.epochs,
          ],
        ]
        const skipped = active === 0 ? miniBatches : miniBatches - 1
        for (const [rule, { parameters, before }, epochs] of rules) {
          rule.propose(0)
          const outcome = rule.commit(DELTA)
          assert.equal(outcome.rejectedSteps, epochs * skipped)
          assert.equal(outcome.rejection, skipped > 0 ? 'no-rows' : null)
          for (const [name, value] of Object.entries(outcome))
            if (typeof value === 'number') assert.ok(Number.isFinite(value), `${name} is ${value}`)
          if (active === 0) {
            assert.equal(outcome.klUsed, 0)
            assert.deepEqual(device.read(parameters), before)
          } else assert.ok(outcome.klUsed > 0)
        }
      })
    }
  }
}

for (const algo of ['hatrpo', 'happo', 'matrpo', 'mappo']) {
  test(`${algo}: an agent that never takes part is not updated, and the others are`, async (t) => {
    const plain = ['actor.standardise=false', 'critic.standardise=false']
    const config = tinyConfig({ id: fixture('rough'), leaves: 0 }, 2, `algo=${algo}`, ...plain)
    const { records, events } = await trained(t, config, { workers: 0 })
    assert.deepEqual(events, [])
    for (const { agents } of records) {
      const [front, middle, back] = agents
      assert.ok(front.klUsed! > 0 && middle.klUsed! > 0)
      assert.deepEqual([front.rejectedSteps, middle.rejectedSteps], [0, 0])
      assert.equal(back.rejection, 'no-rows')
      assert.ok(back.rejectedSteps! > 0)
      assert.equal(back.klUsed, 0)
      assert.ok(!('factorSpread' in back))
      // A number that is not finite is written as null.
      for (const agent of agents) {
        const { rejection: _, ...numbers } = agent
        assert.ok(!JSON.stringify(numbers).includes('null'), JSON.stringify(agent))
      }
    }
  })
}
