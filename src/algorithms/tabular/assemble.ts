import type { Device } from '../../devices/device.js'
import type { HostDevice } from '../../devices/host.js'
import { checkFiniteGame } from '../../envs/finite-game.js'
import { turnOrder, type MethodOptions, type MethodPlan } from '../assemble.js'
import { networkParameters } from '../initial.js'
import { TabularMethod } from './method.js'

/**
 * Makes the exact method of a plan over the tables of its environment.
 * @throws HatrpoError for tables that are not a game
 */
export function assembleTabular(
  { env, groups }: MethodPlan,
  options: MethodOptions,
  host: HostDevice,
  device: Device,
): TabularMethod {
  const game = env.finiteGame!()
  checkFiniteGame(game)
  const policies = groups.map(({ name, agents, spec }, i) => {
    const parameters = networkParameters(host, device, spec, options.actor.headGain, options.seed, i)
    return { name, agents, spec, parameters, adam: null, carried: null }
  })
  const order = turnOrder(host, options, policies.length)
  return new TabularMethod({ device, game: { ...game, gamma: options.gamma }, policies, order })
}
