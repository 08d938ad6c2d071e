import { HatrpoError } from '../../src/errors.js'
import { mpe, PARTICLE_TASKS } from '../../src/envs/mpe/family.js'
import { observationSize, writeObservation } from '../../src/envs/mpe/parts.js'
import { ParticleWorld, STEP_SECONDS } from '../../src/envs/mpe/world.js'
import { actionSize } from '../../src/envs/shape.js'
import { difference, largestDifference, structuralDifference } from './difference.js'
import { Differences } from './differences.js'
import {
  parseParticleFile,
  type ParticleFile,
  type ParticleMoment,
  type ParticleStart,
  type ParticleStep,
  type ParticleTrajectory,
} from './particle-file.js'
import type { FileReport } from './report.js'

/** Our options in place of the originals' arguments, by scenario. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  spread: { N: 'agents', local_ratio: 'localRatio' },
  reference: { local_ratio: 'localRatio' },
  'speaker-listener': {},
  tag: { num_good: 'good', num_adversaries: 'adversaries', num_obstacles: 'obstacles' },
  adversary: { N: 'good' },
  push: {},
}
const BLOCKS = ['name', 'version', 'actions', 'params', 'max_cycles', 'world', 'local_ratio', 'agents']
const MORE_BLOCKS = ['landmarks', 'state_length', 'resets', 'transitions', 'out_of_range', 'trajectories']
const STEP_FIELDS = ['kind', 'reset_seed', 'state', 'observations', 'actions', 'clipped_actions', 'touching']
const MORE_STEP_FIELDS = ['speed_limited', 'control_force', 'total_force', 'next_state', 'next_observations']
const REWARD_FIELDS = ['rewards', 'local_rewards', 'global_reward']

/** Whether a file's content is one of particle transitions. */
export function isParticleFile(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'name' in json && 'world' in json
}

/** Compares a file of particle transitions with ours. */
export function checkParticleFile(json: unknown): FileReport {
  const golden = parseParticleFile(json)
  const check = new ParticleCheck(golden)
  check.run()
  return { comparisons: check.differences.all(), notes: check.differences.notes() }
}

class ParticleCheck {
  readonly differences = new Differences()
  readonly #golden: ParticleFile
  readonly #world: ParticleWorld

  constructor(golden: ParticleFile) {
    this.#golden = golden
    const name = golden.name.replace(/^simple_/, '').replace('_', '-')
    if (!Object.hasOwn(PARTICLE_TASKS, name)) {
      throw new HatrpoError(`scenario not supported yet: ${golden.name}`)
    }
    const options: Record<string, string | number> = { actions: golden.actions, timeLimit: golden.max_cycles }
    for (const [param, value] of Object.entries(golden.params)) {
      if (!Object.hasOwn(OPTIONS[name], param))
        throw new HatrpoError(`params.${param}: we have no such option of ${name}`)
      options[OPTIONS[name][param]] = value
    }
    const { config, spec } = mpe.factory(name, options)
    this.#world = new ParticleWorld(
      PARTICLE_TASKS[name].scenario(config as Readonly<Record<string, string | number>>),
    )
    this.differences.add('max_cycles', difference(golden.max_cycles, spec.timeLimit))
    this.differences.add('state_length', difference(golden.state_length, spec.stateSize))
    const spaces = spec.agents.map(({ action }) =>
      action.kind === 'discrete' ? { discrete: action.n } : { box: [0, 1], length: actionSize(action) },
    )
    const stated = golden.agents.map(({ action_space }) => action_space)
    this.differences.add('agents.action_space', structuralDifference(stated, spaces))
  }

  run(): void {
    const golden = this.#golden
    this.differences.skipUnfamiliar(golden, [...BLOCKS, ...MORE_BLOCKS], '')
    this.#compareConstants()
    for (const { state, observations } of golden.resets) {
      this.#load(state)
      this.#compareObservations('resets.observations', observations)
    }
    for (const step of golden.transitions) this.#compareStep('transitions', step)
    for (const step of golden.out_of_range) this.#compareStep('out_of_range', step)
    for (const trajectory of golden.trajectories) this.#compareTrajectory(trajectory)
  }

  #compareConstants(): void {
    const { differences } = this
    const { agents, landmarks, world, local_ratio } = this.#golden
    const { scenario } = this.#world
    const ours = scenario.agents.map((body, i) => ({
      size: body.radius,
      mass: 1,
      movable: body.moves,
      collide: body.collides,
      sensitivity: body.sensitivity,
      max_speed: body.maxSpeed === Infinity ? null : body.maxSpeed,
      silent: !body.talks,
      adversary: body.adversary,
      observation_length: observationSize(scenario, i),
      name: body.id,
    }))
    for (const key of Object.keys(ours[0]) as (keyof (typeof ours)[0])[]) {
      const theirs = agents.map((agent) => agent[key] ?? (key === 'adversary' ? false : null))
      const known = ours.map((agent) => agent[key])
      differences.add(`agents.${key}`, structuralDifference(theirs, known))
    }
    const discs = scenario.landmarks.map(({ radius, collides }) => [radius, 1, false, collides])
    const theirs = landmarks.map(({ size, mass, movable, collide }) => [size, mass, movable, collide])
    differences.add('landmarks', structuralDifference(theirs, discs))
    differences.add('world.dt', difference(world['dt'], STEP_SECONDS))
    differences.add('world.dim_c', difference(world['dim_c'], scenario.words))
    if (local_ratio !== null) differences.add('local_ratio', difference(local_ratio, scenario.localRatio))
  }

  /** Sets a state, and compares the colours that are said to belong to it where agents see them. */
  #load({ pos, vel, comm, landmark_pos, goal, colors }: ParticleStart): void {
    const { state, scenario } = this.#world
    state.position.set([...pos, ...landmark_pos].flat())
    state.velocity.set(vel.flat())
    state.message.set(comm.flat())
    // The reward of an agent without a goal depends on the goals of the others.
    const goals = goal?.landmark ?? []
    const any = goals.find((landmark) => landmark !== null) ?? 0
    state.goal.set(scenario.agents.map((_, i) => goals[i] ?? any))
    if (scenario.landmarkColours !== undefined)
      this.differences.add('colors', structuralDifference(colors.landmarks, scenario.landmarkColours))
  }

  #compareStep(block: string, step: ParticleStep): void {
    const { differences } = this
    const world = this.#world
    const fields = [...STEP_FIELDS, ...MORE_STEP_FIELDS, ...REWARD_FIELDS]
    differences.skipUnfamiliar(step, fields, `${block}.`)
    this.#load(step.state)
    this.#compareObservations(`${block}.observations`, step.observations)
    if (step.touching !== undefined)
      differences.add(`${block}.touching`, structuralDifference(step.touching, this.#touching()))
    this.#act(step.actions)
    world.move()
    this.#compareForces(`${block}.control_force`, step.control_force, world.controlForce)
    this.#compareForces(`${block}.total_force`, step.total_force, world.force)
    if (step.speed_limited !== undefined) {
      const limited = this.#atFullSpeed()
      differences.add(`${block}.speed_limited`, structuralDifference(step.speed_limited, limited))
    }
    this.#compareMoment(`${block}.next_state`, step.next_state)
    this.#compareObservations(`${block}.next_observations`, step.next_observations)
    this.#compareRewards(block, step.rewards)
    const { scenario } = world
    if (step.local_rewards !== undefined) {
      const local = scenario.agents.map((_, i) => scenario.local(world, i))
      differences.add(`${block}.local_rewards`, largestDifference(step.local_rewards, local))
    }
    if (step.global_reward != null)
      differences.add(`${block}.global_reward`, difference(step.global_reward, world.globalReward()))
  }

  #compareTrajectory({ state, observations, steps, lcg_seed }: ParticleTrajectory): void {
    const { differences } = this
    const { agents, max_cycles } = this.#golden
    this.#load(state)
    if (observations !== undefined) this.#compareObservations('trajectories.observations', observations)
    let x = lcg_seed
    const draw = () => (x = (1664525 * x + 1013904223) % 4294967296) / 4294967296
    steps.forEach((step, k) => {
      const drawn = step.actions.map((action, i) => {
        if (typeof action !== 'number') return action.map(draw)
        return Math.floor(Number(agents[i].action_space['discrete']) * draw())
      })
      differences.add('trajectories.actions', structuralDifference(step.actions, drawn))
      this.#act(step.actions)
      this.#world.move()
      this.#compareMoment('trajectories.state', step)
      this.#compareRewards('trajectories', step.rewards)
      if (step.observations !== undefined)
        this.#compareObservations('trajectories.observations', step.observations)
      // Nothing but the time limit ends an episode.
      const truncated = agents.map(() => k + 1 >= max_cycles)
      differences.add('trajectories.truncated', structuralDifference(step.truncated, truncated))
      differences.add(
        'trajectories.terminated',
        structuralDifference(
          step.terminated,
          agents.map(() => false),
        ),
      )
    })
  }

  #act(actions: readonly (number | readonly number[])[]): void {
    actions.forEach((action, i) =>
      this.#world.act(i, typeof action === 'number' ? [action] : action, this.#golden.actions),
    )
  }

  #touching(): number[][] {
    const { scenario } = this.#world
    const bodies = [...scenario.agents, ...scenario.landmarks]
    const moves = (body: number) => scenario.agents[body]?.moves === true
    const pairs: number[][] = []
    for (let a = 0; a < bodies.length; a++) {
      for (let b = a + 1; b < bodies.length; b++) {
        const meet = bodies[a].collides && bodies[b].collides && (moves(a) || moves(b))
        if (meet && this.#world.touch(a, b)) pairs.push([a, b])
      }
    }
    return pairs
  }

  /** Agents whose speed is their largest, to rounding. */
  #atFullSpeed(): number[] {
    const { scenario, state } = this.#world
    return scenario.agents.flatMap(({ maxSpeed }, i) => {
      const [x, y] = state.velocity.subarray(2 * i, 2 * i + 2)
      return Math.abs(Math.sqrt(x * x + y * y) - maxSpeed) < 1e-12 ? [i] : []
    })
  }

  #compareForces(quantity: string, golden: ParticleStep['total_force'], ours: Float64Array): void {
    golden?.forEach((force, i) => {
      if (force !== null)
        this.differences.add(quantity, largestDifference(force, ours.subarray(2 * i, 2 * i + 2)))
    })
  }

  #compareMoment(quantity: string, { pos, vel, comm }: ParticleMoment): void {
    const { position, velocity, message } = this.#world.state
    const { differences } = this
    differences.add(`${quantity}.pos`, largestDifference(pos.flat(), position.subarray(0, 2 * pos.length)))
    differences.add(`${quantity}.vel`, largestDifference(vel.flat(), velocity))
    differences.add(`${quantity}.comm`, largestDifference(comm.flat(), message))
  }

  #compareObservations(quantity: string, golden: readonly (readonly number[])[]): void {
    const world = this.#world
    world.scenario.agents.forEach((_, i) => {
      const seen = new Float64Array(observationSize(world.scenario, i))
      writeObservation(world, i, seen)
      this.differences.add(quantity, largestDifference(golden[i] ?? [], seen))
    })
  }

  #compareRewards(block: string, golden: readonly number[]): void {
    const global = this.#world.globalReward()
    const rewards = this.#world.scenario.agents.map((_, i) => this.#world.reward(i, global))
    this.differences.add(`${block}.rewards`, largestDifference(golden, rewards))
  }
}
