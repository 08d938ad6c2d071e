import { HatrpoError } from '../../errors.js'
import type { EnvSpec, MultiAgentEnv } from '../contract.js'
import { EpisodeRecording } from '../recording.js'
import { ActionWriter } from './actions.js'
import { notDeterministic } from './failures.js'
import type { EnvHost } from './host.js'
import { actionSize } from '../shape.js'
import { Tenant } from './tenant.js'
import { Views } from './views.js'

/**
 * A PettingZoo environment in a Python process. Its saved state is the episode's seed and actions.
 * `submit` on all environments of a thread, then `step` on each, costs one message to Python for all.
 */
export class PettingZooEnv implements MultiAgentEnv {
  readonly spec: EnvSpec
  readonly observations: readonly Float32Array[]
  readonly state: Float32Array
  readonly actions: readonly Float32Array[]
  declare readonly availableActions?: readonly Uint8Array[]
  readonly active: Uint8Array
  readonly rewards: Float32Array
  readonly #host: EnvHost
  readonly #tenant: Tenant

  /** An environment of the host's process. */
  static async create(host: EnvHost): Promise<PettingZooEnv> {
    return new PettingZooEnv(host, await host.make())
  }

  /** Use `PettingZooEnv.create`. */
  constructor(host: EnvHost, slot: number) {
    const { spec, description } = host
    const views = new Views(spec, description.state > 0, description.masked)
    this.spec = spec
    this.observations = views.observations
    this.state = views.state
    this.actions = spec.agents.map(({ action }) => new Float32Array(actionSize(action)))
    if (description.masked) this.availableActions = views.availableActions
    this.active = views.active
    this.rewards = views.rewards
    this.#host = host
    this.#tenant = new Tenant(slot, spec, views, new ActionWriter(spec))
    host.admit(this.#tenant)
  }

  reset(seed: number): void {
    this.#host.withdraw(this.#tenant)
    const pythonSeed = this.#tenant.begin(seed)
    this.#tenant.show(this.#host.reset(this.#tenant, pythonSeed))
  }

  submit(): void {
    if (this.#tenant.submitted) return
    this.#tenant.submit(this.actions)
    this.#host.submit(this.#tenant)
  }

  step(): number {
    this.submit()
    if (!this.#tenant.arrived) this.#host.step()
    return this.#tenant.finish()
  }

  /** @throws HatrpoError between `submit` and `step`, where the state is neither the one nor the other */
  saveState(): Uint8Array {
    if (this.#tenant.submitted) {
      throw new HatrpoError(`${this.spec.id}: saveState() between submit() and step(): call step() first`)
    }
    return this.#tenant.recording.toBytes(this)
  }

  loadState(saved: Uint8Array): void {
    const recording = EpisodeRecording.fromBytes(saved)
    if (this.#tenant.standsAt(recording)) return
    this.#host.withdraw(this.#tenant)
    const episode = this.#tenant.resume(recording)
    this.#tenant.show(this.#host.replay(this.#tenant, episode))
    // The bytes hold a digest of the views: equal bytes are equal views.
    if (Buffer.compare(this.saveState(), saved) !== 0) throw notDeterministic(this.spec.id, episode)
  }

  dispose(): void {
    this.#host.dispose(this.#tenant)
  }
}
