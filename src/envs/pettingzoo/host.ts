import { HatrpoError, usageError } from '../../errors.js'
import type { EnvSpec } from '../contract.js'
import { Channel, ChildLost } from './channel.js'
import { notDeterministic, pythonError } from './failures.js'
import type { PettingZooOptions } from './options.js'
import {
  BROKEN,
  closeRequest,
  loadRequest,
  makeRequest,
  readFailure,
  readJson,
  readResults,
  replayRequest,
  REPLY,
  resetRequest,
  stepRequest,
} from './protocol.js'
import { specOf, type Description } from './spec.js'
import type { Episode, Tenant } from './tenant.js'

/** Least milliseconds for Python to start, import and make an environment. */
const START_PATIENCE = 60_000
/** Signs of life within one timeout, and the most seconds between them. */
const PULSES = 4
const SLOWEST_PULSE = 1

/** Status and views of an environment. */
interface Shown {
  readonly status: number
  readonly views: Uint8Array
}

/**
 * The Python process of one thread, with all its environments. When the process dies or hangs it is started again, every
 * environment is brought back to where it stood by playing its episode again, and the step is tried once more.
 */
export class EnvHost {
  readonly spec: EnvSpec
  readonly description: Description
  readonly #id: string
  readonly #options: PettingZooOptions
  readonly #channel: Channel
  readonly #patience: number
  readonly #onRestart: ((what: string) => void) | undefined
  readonly #tenants = new Map<number, Tenant>()
  /** Environment made to read the spec, until it is used. */
  #spare: number | undefined = 0
  #slots = 1
  #ended = false
  #submitted: Tenant[] = []

  /**
   * Starts Python, imports the factory and makes one environment.
   * @param onRestart called with one line when the process was restarted
   * @throws HatrpoError for an invalid Python, module, factory or environment
   */
  static async start(
    id: string,
    options: PettingZooOptions,
    onRestart?: (what: string) => void,
  ): Promise<EnvHost> {
    const channel = new Channel(options.python)
    const patience = startPatience(options)
    try {
      channel.start()
      accept(id, await channel.askAsync(loadRequest(loadOptions(options)), patience))
      const made = accept(id, await channel.askAsync(makeRequest(0), patience))
      return new EnvHost(id, options, channel, readJson(made) as Description, onRestart)
    } catch (error) {
      channel.end()
      throw error instanceof ChildLost ? notStarted(id, options, error) : error
    }
  }

  /** Use `EnvHost.start`. */
  constructor(
    id: string,
    options: PettingZooOptions,
    channel: Channel,
    description: Description,
    onRestart: ((what: string) => void) | undefined,
  ) {
    this.description = description
    this.spec = specOf(id, description, options)
    this.#id = id
    this.#options = options
    this.#channel = channel
    this.#patience = options.timeout * 1000
    this.#onRestart = onRestart
  }

  /** Makes an environment, or takes the one that is there. @returns its slot */
  async make(): Promise<number> {
    if (this.#spare !== undefined) {
      const slot = this.#spare
      this.#spare = undefined
      return slot
    }
    const slot = this.#slots++
    try {
      accept(this.#id, await this.#channel.askAsync(makeRequest(slot), startPatience(this.#options)))
    } catch (error) {
      throw error instanceof ChildLost ? notStarted(this.#id, this.#options, error) : error
    }
    return slot
  }

  /** Takes an environment in, in a slot that `make` gave. */
  admit(tenant: Tenant): void {
    this.#tenants.set(tenant.slot, tenant)
  }

  /** Starts an episode. */
  reset(tenant: Tenant, seed: number): Shown {
    return this.#twice(tenant, `reset(seed=${seed})`, () => {
      const reply = this.#channel.ask(resetRequest(tenant.slot, seed), this.#patience)
      return this.#single(reply, tenant)
    })
  }

  /** Replays an episode up to its present step. */
  replay(tenant: Tenant, episode: Episode): Shown {
    return this.#twice(tenant, `the replay of ${episode.steps} steps`, () => this.#play(tenant, episode))
  }

  /** Enters an environment for the next step of all. */
  submit(tenant: Tenant): void {
    this.#submitted.push(tenant)
  }

  /** Cancels submitted steps that were not finished. */
  withdraw(tenant: Tenant): void {
    const place = this.#submitted.indexOf(tenant)
    if (place >= 0) this.#submitted.splice(place, 1)
  }

  /** Steps all that were submitted, in one message, and gives each its result. */
  step(): void {
    const batch = this.#submitted
    this.#submitted = []
    try {
      this.#stepTogether(batch)
    } catch (error) {
      if (!(error instanceof ChildLost)) throw error
      this.#restart(error.message)
      // One by one, so that only the failing environment loses its step.
      for (const tenant of batch) this.#stepAlone(tenant)
    }
  }

  /** Closes an environment; the process ends with the last. */
  dispose(tenant: Tenant): void {
    if (!this.#tenants.delete(tenant.slot)) return
    this.withdraw(tenant)
    if (this.#tenants.size === 0) {
      this.end()
      return
    }
    try {
      accept(this.#id, this.#channel.ask(closeRequest(tenant.slot), this.#patience))
    } catch (error) {
      if (!(error instanceof ChildLost)) throw error
      this.#restart(error.message)
    }
  }

  /** Whether it can make no more environments. */
  get ended(): boolean {
    return this.#ended
  }

  /** Lets the process close its environments and end. */
  end(): void {
    this.#ended = true
    this.#channel.end()
  }

  #stepTogether(batch: readonly Tenant[]): void {
    const reply = accept(this.#id, this.#channel.ask(stepRequest(batch), this.#patience))
    const results = readResults(reply, batch.length, batch[0].views.length)
    batch.forEach((tenant, i) => tenant.arrive(results[i]))
  }

  #stepAlone(tenant: Tenant): void {
    try {
      this.#stepTogether([tenant])
    } catch (error) {
      if (!(error instanceof ChildLost)) throw error
      const message = `its Python ${error.message}, twice in this step`
      tenant.arrive({ status: BROKEN, failure: { message, usage: false, trace: '' } })
      this.#restart(error.message)
    }
  }

  // Asks, and once more when the process is lost over it.
  #twice(tenant: Tenant, what: string, ask: () => Shown): Shown {
    for (let attempt = 1; ; attempt++) {
      try {
        return ask()
      } catch (error) {
        if (!(error instanceof ChildLost)) throw error
        this.#restart(error.message, tenant)
        if (attempt === 2)
          throw new HatrpoError(`environment ${this.#id}: its Python ${error.message}, twice in ${what}`)
      }
    }
  }

  // A new process, with every environment where it stood, but the one that is about to go elsewhere.
  #restart(why: string, except?: Tenant): void {
    try {
      this.#startAgain(except)
    } catch (error) {
      if (!(error instanceof ChildLost)) throw error
      throw new Error(`${this.#id}: its Python ${why}, and ${error.message} when it was started again`, {
        cause: error,
      })
    }
    const count = this.#tenants.size
    this.#onRestart?.(
      `the Python of ${count} ${count === 1 ? 'environment' : 'environments'} ${why}: ` +
        'it was started again, and their episodes were brought back to where they stood',
    )
  }

  #startAgain(except: Tenant | undefined): void {
    const patience = startPatience(this.#options)
    this.#channel.start()
    accept(this.#id, this.#channel.ask(loadRequest(loadOptions(this.#options)), patience))
    this.#spare = undefined
    for (const tenant of this.#tenants.values()) {
      accept(this.#id, this.#channel.ask(makeRequest(tenant.slot), patience))
      const episode = tenant === except ? undefined : tenant.episode
      if (episode && !tenant.recognises(this.#play(tenant, episode).views))
        throw notDeterministic(this.#id, episode)
    }
  }

  #play(tenant: Tenant, { seed, steps, actionsOf }: Episode): Shown {
    const request = replayRequest(tenant.slot, seed, steps, tenant.actions.length, actionsOf)
    return this.#single(this.#channel.ask(request, this.#patience), tenant)
  }

  // Takes over the result of an answer about one environment.
  #single(reply: Uint8Array, { views }: Tenant): Shown {
    const [result] = readResults(accept(this.#id, reply), 1, views.length)
    if ('views' in result) return result
    throw pythonError(this.#id, result.failure)
  }
}

/** Payload of an answer. @throws HatrpoError for a failure */
function accept(id: string, reply: Uint8Array): Uint8Array {
  const content = reply.subarray(1)
  if (reply[0] === REPLY.failed) throw pythonError(id, readFailure(content))
  return content
}

function notStarted(id: string, { python }: PettingZooOptions, { missing, message }: ChildLost): HatrpoError {
  if (missing) {
    return usageError(
      `environment ${id}: env.python is ${JSON.stringify(python)} and there is no such program: ` +
        'it must name a Python, 3.9 or newer',
    )
  }
  return new HatrpoError(`environment ${id}: ${python} ${message} while it made an environment`)
}

function startPatience({ timeout }: PettingZooOptions): number {
  return Math.max(START_PATIENCE, timeout * 1000)
}

function loadOptions({ file, module, factory, kwargs, rewards, timeLimit, timeout }: PettingZooOptions) {
  const limit = timeLimit === 'auto' ? 0 : timeLimit
  const pulse = Math.min(SLOWEST_PULSE, timeout / PULSES)
  return { file, module, factory, kwargs, rewards, timeLimit: limit, pulse }
}
