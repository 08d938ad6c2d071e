import { HatrpoError } from '../errors.js'
import type { MultiAgentEnv } from './contract.js'
import { EpisodeRecording } from './recording.js'
import type { Scene } from './scene.js'

/**
 * An environment that can save its state: the given one if it can, else the given one with a recording of its episode.
 * A saved state is then the seed and the actions of the episode. Loading it repeats the steps, which takes as long as
 * the first time, unless the environment is already in that state.
 * @param env must be deterministic under the seed of `reset`; a replay with a different result is an error
 */
export function withReplay(env: MultiAgentEnv): MultiAgentEnv {
  return env.saveState && env.loadState ? env : new ReplayedEnv(env)
}

class ReplayedEnv implements MultiAgentEnv {
  readonly spec: MultiAgentEnv['spec']
  readonly observations: MultiAgentEnv['observations']
  readonly state: Float32Array
  readonly actions: MultiAgentEnv['actions']
  declare readonly availableActions?: readonly Uint8Array[]
  declare readonly active?: Uint8Array
  readonly rewards: Float32Array
  /** These two only where the environment has them. */
  readonly submit?: () => void
  readonly scene?: () => Scene
  readonly #env: MultiAgentEnv
  #recording: EpisodeRecording
  /** Whether the environment is in the state at the end of the recording: not after a reset, step or replay that threw. */
  #whole = false
  /** Whether the next step's actions are recorded already. */
  #submitted = false

  constructor(env: MultiAgentEnv) {
    const { spec, observations, state, actions, availableActions, active, rewards } = env
    this.spec = spec
    this.observations = observations
    this.state = state
    this.actions = actions
    if (availableActions) this.availableActions = availableActions
    if (active) this.active = active
    this.rewards = rewards
    if (env.submit) {
      this.submit = () => {
        if (this.#submitted) return
        this.#begin()
        env.submit!()
      }
    }
    if (env.scene) this.scene = () => env.scene!()
    this.#env = env
    this.#recording = new EpisodeRecording(actions.map((action) => action.length))
  }

  reset(seed: number): void {
    this.#whole = false
    this.#submitted = false
    this.#recording.start(seed)
    this.#env.reset(seed)
    this.#whole = true
  }

  step(): number {
    this.#begin()
    this.#submitted = false
    const end = this.#env.step()
    this.#whole = true
    return end
  }

  /** @throws HatrpoError between `submit` and `step`, where the state is neither the one nor the other */
  saveState(): Uint8Array {
    if (this.#submitted) {
      throw new HatrpoError(`${this.spec.id}: saveState() between submit() and step(): call step() first`)
    }
    return this.#recording.toBytes(this)
  }

  loadState(saved: Uint8Array): void {
    const recording = EpisodeRecording.fromBytes(saved)
    if (this.#whole && recording.equals(this.#recording)) return
    this.#whole = false
    this.#submitted = false
    this.#recording = recording
    recording.replay(this.#env)
    this.#whole = true
  }

  dispose(): void {
    this.#env.dispose?.()
  }

  /** Records the actions of the next step, once. */
  #begin(): void {
    this.#whole = false
    if (!this.#submitted) this.#recording.add(this.actions)
    this.#submitted = true
  }
}
