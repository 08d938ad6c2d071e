import {
  box,
  discrete,
  RandomStream,
  RUNNING,
  TRUNCATED,
  type EnvSpec,
  type MultiAgentEnv,
} from '../../../src/envs/index.js'

export const LIMIT = 12
const AGENTS = 2

/**
 * Two walkers on a line who are pushed about by noise: nothing is wrong with it. x' = clip(x + 0.1 u + 0.01 noise).
 * Tests break one thing each.
 */
export class Sound implements MultiAgentEnv {
  readonly spec: EnvSpec = {
    id: 'sound',
    agents: ['left', 'right'].map((id) => ({
      id,
      observation: box(2, -1, 1),
      action: box(1, -0.5, 0.5),
    })),
    stateSize: 3,
    timeLimit: LIMIT,
    mode: 'cooperative',
  }
  observations: Float32Array[] = [new Float32Array(2), new Float32Array(2)]
  state: Float32Array = new Float32Array(3)
  actions: Float32Array[] = [new Float32Array(1), new Float32Array(1)]
  rewards: Float32Array = new Float32Array(AGENTS)
  availableActions?: Uint8Array[]
  active?: Uint8Array
  protected readonly random = new RandomStream(0, 1)
  protected readonly x = new Float64Array(AGENTS)
  protected steps = 0

  reset(seed: number): void {
    this.random.restart(seed, 1)
    for (let i = 0; i < AGENTS; i++) this.x[i] = this.random.uniform() - 0.5
    this.steps = 0
    this.publish()
  }

  step(): number {
    if (this.steps === LIMIT) throw new Error('the episode has ended: call reset')
    let reward = 0
    for (let i = 0; i < AGENTS; i++) {
      const push = Math.max(-0.5, Math.min(0.5, this.actions[i][0]))
      this.x[i] = Math.max(-1, Math.min(1, this.x[i] + 0.1 * push + 0.01 * this.random.normal()))
      reward -= this.x[i] * this.x[i]
    }
    this.rewards.fill(reward)
    this.steps++
    this.publish()
    return this.steps < LIMIT ? RUNNING : TRUNCATED
  }

  saveState(): Uint8Array {
    const words = new Uint32Array(RandomStream.SAVED_WORDS)
    this.random.save(words)
    return new Uint8Array(Float64Array.of(...this.x, this.steps, ...words).buffer)
  }

  loadState(saved: Uint8Array): void {
    const numbers = new Float64Array(saved.slice().buffer)
    this.x.set(numbers.subarray(0, AGENTS))
    this.steps = numbers[AGENTS]
    this.random.load(Uint32Array.from(numbers.subarray(AGENTS + 1)))
    this.publish()
  }

  protected publish(): void {
    for (let i = 0; i < AGENTS; i++) {
      this.state[i] = this.x[i]
      this.observations[i][0] = this.x[i]
      this.observations[i][1] = this.x[1 - i]
    }
    this.state[2] = this.x[0] - this.x[1]
  }
}

/** The same with three choices each (left, stay, right), of which those that lead off the line are not available. */
export class SoundChoices extends Sound {
  override readonly spec: EnvSpec = {
    id: 'sound-choices',
    agents: ['left', 'right'].map((id) => ({ id, observation: box(2, -1, 1), action: discrete(3) })),
    stateSize: 3,
    timeLimit: LIMIT,
    mode: 'cooperative',
  }
  override availableActions = [new Uint8Array(3), new Uint8Array(3)]
  override active = new Uint8Array(AGENTS)

  override step(): number {
    for (let i = 0; i < AGENTS; i++) this.actions[i][0] -= 1
    return super.step()
  }

  protected override publish(): void {
    super.publish()
    // Field initialisers of a base class run before these.
    this.active.fill(1)
    for (let i = 0; i < AGENTS; i++) {
      this.availableActions[i].fill(1)
      if (this.x[i] < -0.4) this.availableActions[i][0] = 0
      if (this.x[i] > 0.4) this.availableActions[i][2] = 0
    }
  }
}
