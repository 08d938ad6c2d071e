import type { Device, Mirror } from '../devices/device.js'
import type { HostArray, Tensor } from '../devices/tensor.js'
import type { PolicyColumns } from '../learner/batch.js'
import { policyColumns, type RolloutStorage } from '../rollout/index.js'

/** A rollout's columns on the learner's device. */
export class DeviceColumns {
  readonly #device: Device
  readonly #storage: RolloutStorage
  /** By place in the rollout's memory: a column of agents may be one of the team. */
  readonly #mirrors = new Map<string, Mirror>()
  /** Columns of the team, as many times over as a batch has agents. */
  readonly #repeated: { readonly from: Tensor; readonly to: Tensor }[] = []

  constructor(device: Device, storage: RolloutStorage) {
    this.#device = device
    this.#storage = storage
  }

  /** Brings the rollout to the device. */
  upload(): void {
    for (const mirror of this.#mirrors.values()) mirror.upload()
    for (const { from, to } of this.#repeated)
      for (let at = 0; at < to.length; at += from.length)
        this.#device.copy(from, this.#device.slice(to, at, from.length))
  }

  team(name: keyof RolloutStorage['team']): Tensor {
    return this.#tensor(this.#storage.team[name])
  }

  /** A column of agents that lie side by side in memory, one agent's rows after another's. */
  agents(name: Parameters<RolloutStorage['agentColumn']>[0], agents: readonly number[]): Tensor {
    return this.#tensor(this.#storage.agentColumn(name, agents))
  }

  /** Columns of the agents' batch, and for several agents the agent of each row. */
  policy(agents: readonly number[]): PolicyColumns {
    const recorded = policyColumns.filter((name) => this.#storage.agentColumn(name, agents).length > 0)
    const starts = this.#storage.team.episodeStarts.length > 0 && { episodeStarts: this.#startsOf(agents) }
    const columns = {
      ...Object.fromEntries(recorded.map((name) => [name, this.agents(name, agents)])),
      ...starts,
    }
    const agentIds = agents.length > 1 ? { agentIds: this.#agentIds(agents) } : {}
    return { ...(columns as Omit<PolicyColumns, 'agentIds'>), ...agentIds }
  }

  /** Marks of the first steps of episodes in the agents' batch. */
  #startsOf(agents: readonly number[]): Tensor {
    const from = this.team('episodeStarts')
    if (agents.length === 1) return from
    const to = this.#device.tensor('f32', agents.length * from.length)
    this.#repeated.push({ from, to })
    return to
  }

  #agentIds(agents: readonly number[]): Tensor {
    const { rows } = this.#storage
    const ids = this.#device.tensor('i32', agents.length * rows)
    this.#device.write(
      ids,
      Int32Array.from({ length: ids.length }, (_, row) => agents[Math.floor(row / rows)]),
    )
    return ids
  }

  #tensor(array: HostArray): Tensor {
    const key = `${array.constructor.name} ${array.byteOffset} ${array.length}`
    let mirror = this.#mirrors.get(key)
    if (!mirror) {
      mirror = this.#device.mirror(array)
      this.#mirrors.set(key, mirror)
    }
    return mirror.tensor
  }
}
