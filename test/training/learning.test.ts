import assert from 'node:assert/strict'
import test from 'node:test'
import { DECAY, EPISODE, START } from './fixtures/team.js'
import { fixture, tinyConfig, trained } from './runs.js'

/** The mean return of agents that do nothing: -E|x0|^2 (1 + d^2 + d^4 + ...) over the steps of an episode. */
function idleReturn(): number {
  // Two coordinates, uniform in [-START, START].
  let square = (2 * START * START) / 3
  let sum = 0
  for (let step = 0; step < EPISODE; step++, square *= DECAY * DECAY) sum -= square
  return sum
}

const settings = {
  hatrpo: ['trustRegion.delta=0.01'],
  happo: ['clipped.lr=0.003', 'clipped.epochs=10'],
}

for (const algo of ['hatrpo', 'happo'] as const) {
  for (const seed of [1, 2]) {
    test(`${algo}, seed ${seed}: a team learns what neither of its agents can do alone`, async (t) => {
      const set = [
        `algo=${algo}`,
        `seed=${seed}`,
        'actor.hidden=[16]',
        'critic.hidden=[16]',
        ...settings[algo],
      ]
      const rollouts = ['envs=16', 'rolloutSteps=40', `steps=${25 * 16 * 40}`]
      // Two numbers less their mean, over their deviation, are only ever 1 and -1.
      const raw = ['actor', 'critic'].flatMap((who) => [`${who}.standardise=false`, `${who}.inputNorm=false`])
      const evaluation = ['evaluation.every=1000', 'evaluation.episodes=200', 'critic.lr=0.005']
      const config = tinyConfig({ id: fixture('team') }, 1, ...set, ...rollouts, ...raw, ...evaluation)
      const { records, evaluation: final } = await trained(t, config, { workers: 0 })
      assert.equal(records.length, 25)
      assert.ok(records[0].episodeReturn!.mean < idleReturn(), 'random actions are worse than none')
      // One agent moves x along one diagonal only. Along the other, half of the idle cost always remains.
      assert.ok(final!.mean > idleReturn() / 2, `evaluated at ${final!.mean}`)
    })
  }
}

/** Height of the landscape of games/two-peaks. */
function height(x: number, y: number): number {
  const normal = (u: number, v: number) => Math.exp(-(u * u + v * v) / 2) / (2 * Math.PI)
  return (10 / 3) * normal(x - 5, (y - 5) / 3) + 0.1 * x + 5.3 * normal(x - 1, y - 1)
}

test('one KL budget, divided equally, optimally or greedily: the near peak is climbed in few iterations', async (t) => {
  const [start, peak] = [height(1.5, 1.5), height(1, 1)]
  for (const algo of ['hatrpo', 'hatrpo-w', 'hatrpo-g']) {
    const rollouts = [`algo=${algo}`, 'envs=16', 'rolloutSteps=20', 'steps=4800', 'critic.lr=0.005']
    const evaluation = ['actor.stdY=0.7', 'evaluation.every=1000', 'evaluation.episodes=1']
    const config = tinyConfig({ id: 'games/two-peaks' }, 1, ...rollouts, ...evaluation)
    const { evaluation: final, records } = await trained(t, config, { workers: 0 })
    assert.equal(records.length, 15)
    // The noise of the policy costs nothing in the evaluation.
    const climbed = (final!.mean - start) / (peak - start)
    assert.ok(climbed > 0.8, `${algo} has climbed ${climbed} of the way`)
  }
})
