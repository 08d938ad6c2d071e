import assert from 'node:assert/strict'
import test from 'node:test'
import { baseConfig } from '../../src/config/defaults.js'
import { box, type EnvSpec } from '../../src/envs/index.js'
import { defaultStages, narrowInputs } from '../../src/envs/narrow.js'

function spec(stateSize: number, ...observations: number[]): EnvSpec {
  const agents = observations.map((size, i) => ({
    id: `a${i}`,
    observation: box(size),
    action: box(1, -1, 1),
  }))
  return { id: 'test', agents, stateSize, timeLimit: 10, mode: 'cooperative' }
}

const off = { standardise: false, inputNorm: false }
const withoutId = { ...defaultStages, actor: { ...defaultStages.actor, agentId: false } }

test('the stages that check-env assumes are the defaults of a configuration', () => {
  const { actor, critic } = baseConfig
  assert.deepEqual(defaultStages, {
    actor: { standardise: actor.standardise, inputNorm: actor.inputNorm, agentId: actor.agentId },
    critic: { standardise: critic.standardise, inputNorm: critic.inputNorm },
  })
})

test('vectors of three or more numbers give no warning', () => {
  assert.deepEqual(narrowInputs(spec(3, 3, 9), withoutId), [])
  assert.deepEqual(narrowInputs(spec(3, 2), defaultStages), [])
})

test('ids count: two agents with ids give no warning, a single agent with one number does', () => {
  assert.deepEqual(narrowInputs(spec(3, 1, 1), defaultStages), [])
  assert.deepEqual(narrowInputs(spec(3, 1), defaultStages), [
    'observation of agent a0 has 1 number and with its id (actor.agentId) 2, which actor.standardise and actor.inputNorm reduce to 1 and -1: the policy sees only which is larger; set actor.standardise=false and actor.inputNorm=false, or add numbers',
  ])
})

test('states of one and of two numbers have different warnings', () => {
  const [one] = narrowInputs(spec(1, 9), defaultStages)
  assert.match(one, /^state has 1 number, which .* reduce to 0: the critic sees nothing of it; /)
  const [two] = narrowInputs(spec(2, 9), defaultStages)
  assert.match(
    two,
    /^state has 2 numbers, which .* reduce to 1 and -1: the critic sees only which is larger; /,
  )
})

test('agents with observations of equal length share a line, which names some and counts the rest', () => {
  const lines = narrowInputs(spec(3, 2, 1, 2, 2, 2, 2, 7), withoutId)
  assert.deepEqual(
    lines.map((line) => line.split(',').slice(0, -1).join(',').split(', which')[0]),
    ['observation of agents a0, a2, a3 and 2 more has 2 numbers', 'observation of agent a1 has 1 number'],
  )
})

test('critics of the agents see observations, without an id', () => {
  const [line, ...more] = narrowInputs(spec(1, 1, 2, 3), defaultStages, 'observation')
  assert.match(
    line,
    /^observation of agent a0 has 1 number, which critic\.\S+ and .* reduce to 0: the critic sees nothing/,
  )
  assert.equal(more.length, 1)
  assert.match(more[0], /^observation of agent a1 has 2 numbers, which critic\./)
})

test('LayerNorm on the input alone also gives a warning; without both there is none', () => {
  const critic = { standardise: false, inputNorm: true }
  assert.deepEqual(narrowInputs(spec(1, 9), { ...defaultStages, critic }), [
    'state has 1 number, which critic.inputNorm reduces to 0: the critic sees nothing of it; set critic.inputNorm=false, or add numbers',
  ])
  assert.deepEqual(narrowInputs(spec(1, 1), { actor: { ...off, agentId: false }, critic: off }), [])
})
