import { actionSize } from '../../src/envs/shape.js'
import { mpe, PARTICLE_TASKS } from '../../src/envs/mpe/family.js'
import { PARTS } from '../../src/envs/mpe/parts.js'
import type { Scenario } from '../../src/envs/mpe/world.js'
import type { ActionSpace } from '../../src/envs/contract.js'

/** Options of a particle task that it alone has, its agents, and their observations entry by entry. */
export function particlesTable(name: string): string {
  const task = PARTICLE_TASKS[name]
  const own = Object.entries(task.options).map(([option, rule]) => `\`${option}=${rule.usual}\``)
  const specs = ['discrete', 'continuous'].map((actions) => mpe.factory(name, { actions }).spec)
  const scenario = task.scenario(
    Object.fromEntries(Object.entries(task.options).map(([option, rule]) => [option, rule.usual])),
  )
  const rows = new Map<string, string[]>()
  scenario.agents.forEach(({ id }, i) => {
    const actions = specs.map(({ agents }) => describeAction(agents[i].action))
    const cells = [...actions, `${specs[0].agents[i].observation.size}`, layout(scenario, i)].join(' | ')
    rows.set(cells, [...(rows.get(cells) ?? []), `\`${id}\``])
  })
  return [
    '| agents | `actions=discrete` | `continuous` | observation | contents |',
    '|---|---|---|---|---|',
    ...Array.from(rows, ([cells, ids]) => `| ${ids.join(', ')} | ${cells} |`),
    '',
    `State: ${specs[0].stateSize} numbers. Specific options: ${own.join(', ') || 'none'}. Default of \`rewards\`: \`${task.rewards}\`.`,
  ].join('\n')
}

function describeAction(space: ActionSpace): string {
  return space.kind === 'discrete' ? `1 of ${space.n}` : `${actionSize(space)} in 0..1`
}

/** Parts of an agent's observation, each with the numbers of its entries. */
function layout(scenario: Scenario, agent: number): string {
  let at = 0
  const parts = scenario.agents[agent].sees.flatMap((part) => {
    const size = PARTS[part].size(scenario, agent)
    if (size === 0) return []
    const entries = size === 1 ? `${at}` : `${at}..${at + size - 1}`
    at += size
    return [`\`${entries}\` ${PARTS[part].text}`]
  })
  return parts.join('<br>')
}
