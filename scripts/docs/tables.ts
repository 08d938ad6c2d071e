import type { MjModel } from '@mujoco/mujoco'
import type { EnvContext } from '../../src/envs/context.js'
import type { Box } from '../../src/envs/contract.js'
import { values, type ObservationElement } from '../../src/envs/mamujoco/elements.js'
import { jointGraph } from '../../src/envs/mamujoco/graph.js'
import type { Task, TaskVersion } from '../../src/envs/mamujoco/task.js'
import { RandomStream } from '../../src/envs/random.js'
import { doublesOf } from '../../src/envs/mujoco/load.js'
import { dealings, divisionsOf, factoryOf, FAMILIES, PARTITIONS, taskOf, versionsOf } from './drives.js'
import { agentMark, pictureOf, topDivision } from './pictures.js'

const DEPTHS = ['full', '0', '1', '2']

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

const code = (text: string) => `\`${text}\``

/** Lists whose text is the same become one, under all their names. */
function merge(columns: readonly { name: string; cells: readonly string[] }[]): {
  name: string
  cells: readonly string[]
}[] {
  const found = new Map<string, { names: string[]; cells: readonly string[] }>()
  for (const { name, cells } of columns) {
    const same = found.get(cells.join('\n'))
    if (same === undefined) found.set(cells.join('\n'), { names: [name], cells })
    else same.names.push(name)
  }
  return [...found.values()].map(({ names, cells }) => ({ name: names.join(' '), cells }))
}

/** One number for all agents, or each agent's. */
function perAgent(sizes: readonly number[]): string {
  return sizes.every((size) => size === sizes[0]) ? `${sizes[0]}` : sizes.join(', ')
}

/** Assignment of actuators to agents, with a picture of each partition. */
export function drivesTable(family: string): string {
  return divisionsOf(family)
    .map((division) => {
      const task = taskOf(family, division)
      const ways = dealings(family, division)
      const head = ways.map(({ partitions }) => partitions.map(code).join(' '))
      const pictures = ways.map(
        ({ parts }) => `![${family}-${division}, coloured by agent](img/${pictureOf(family, parts)})`,
      )
      const rows = ways[0].parts.map((_, agent) => [
        `![](img/${agentMark(agent).file}) ${agent}`,
        ...ways.map(({ parts }) => parts[agent].map((actuator) => code(task.actuators[actuator])).join(' ')),
      ])
      const alone = divisionsOf(family).length === 1 && ways.length === 1
      return [
        `### ${family}-${division}`,
        table(['agent', ...head], alone ? rows : [['', ...pictures], ...rows]),
      ].join('\n\n')
    })
    .join('\n\n')
}

/** Lengths of everything that agents see and do: rows that are the same in several versions or partitions are one. */
export function sizesTable(family: string): string {
  const head = [
    'id',
    'version',
    'partition',
    'agents',
    'action',
    'range',
    'state',
    ...DEPTHS.map((d) => code(`obs=${d}`)),
  ]
  const rows = divisionsOf(family).flatMap((division) => {
    const byVersion = versionsOf(family).map((version) => {
      const columns = PARTITIONS.flatMap((partition) => {
        const cells = sizes(family, division, { version, partition })
        return cells === undefined ? [] : [{ name: partition, cells }]
      })
      const merged = merge(columns)
      return { name: version, cells: merged.map(({ name, cells }) => [name, ...cells].join('\t')) }
    })
    return merge(byVersion).flatMap(({ name, cells }) =>
      cells.map((line) => {
        const [partitions, ...others] = line.split('\t')
        return [code(`${family}-${division}`), name, partitions, ...others]
      }),
    )
  })
  return table(head, rows)
}

/** Agents, action, range, state, and what agents see at each depth. */
function sizes(
  family: string,
  division: string,
  options: { version: TaskVersion; partition: string },
): string[] | undefined {
  const specs = DEPTHS.map((obs) => factoryOf(family, division, { ...options, obs })?.spec)
  const [full] = specs
  if (full === undefined) return undefined
  const actions = full.agents.map(({ action }) => action as Box)
  return [
    `${full.agents.length}`,
    perAgent(actions.map(({ size }) => size)),
    `±${actions[0].high[0]}`,
    `${full.stateSize}`,
    ...specs.map((spec) => perAgent(spec!.agents.map(({ observation }) => observation.size))),
  ]
}

/** Description of the task: its robot, its steps, its reward and its ends; where versions differ, what each has. */
export async function taskTable(family: string, context: EnvContext): Promise<string> {
  const [division] = divisionsOf(family)
  const byVersion: { version: string; facts: [string, string][] }[] = []
  for (const version of versionsOf(family)) {
    const task = taskOf(family, division, version)
    const model = await context.model(task.xml)
    byVersion.push({ version, facts: [...modelFacts(task, model.handle), ...taskFacts(task)] })
  }
  const rows = byVersion[0].facts.flatMap(([name], i) => {
    const different = merge(byVersion.map(({ version, facts }) => ({ name: version, cells: [facts[i][1]] })))
    if (different.length > 1) {
      return [[name, different.map((way) => `${way.name}: ${way.cells[0]}`).join('<br>')]]
    }
    return different[0].cells[0] === 'none' ? [] : [[name, different[0].cells[0]]]
  })
  return table([`versions ${versionsOf(family).join(', ')}`, ''], rows)
}

/** A number as a person writes it. */
function number(x: number, digits = 12): string {
  return `${Number(x.toPrecision(digits))}`
}

function modelFacts(task: Task, model: MjModel): [string, string][] {
  const masses = doublesOf(model, 'body_mass')
  // Of the six numbers of a gear, the first is that of a joint.
  const gears = task.actuators.map((name, i) => ({ name, gear: doublesOf(model, 'actuator_gear')[6 * i] }))
  const alike = gears.every(({ gear }) => gear === gears[0].gear)
  const each = gears.map(({ name, gear }) => `${code(name)} ${gear}`).join(', ')
  return [
    [
      'model',
      `${model.nbody - 1} bodies, ${number(
        masses.reduce((sum, mass) => sum + mass, 0),
        4,
      )} kg`,
    ],
    ['actuators', `${gears.length}, control ±${task.controlRange}`],
    ['torque per unit of control', alike ? `${gears[0].gear} N m` : `${each} N m`],
  ]
}

function taskFacts(task: Task): [string, string][] {
  const graph = jointGraph(task, 'corrected')
  const [near, far] = graph.categories
  return [
    ['step', `${task.frames} x ${number(task.timestep)} s = ${number(task.frames * task.timestep)} s`],
    ['time limit', `${task.timeLimit} steps`],
    ['reward for progress', progressFact(task)],
    ['reward while healthy', healthyFact(task)],
    ['cost of control', `${number(task.controlCost)} times the squared norm of all controls`],
    ['cost of contact', contactFact(task)],
    ['cost of distance', distanceFact(task)],
    ['end of an episode', endFact(task)],
    ['initial state', resetFact(task)],
    ['full observation', observationFact(task)],
    ['observed of own joints', near.map(code).join(' ')],
    ['observed of more distant joints', far.map(code).join(' ')],
    [
      'observed of the root by all',
      elementsFact(graph.globals.flatMap((seen) => [...(seen['qpos'] ?? []), ...(seen['qvel'] ?? [])])),
    ],
  ]
}

function progressFact({ progress, timestep }: Task): string {
  if (progress === undefined) return 'none'
  const { of, weight } = progress
  const times = weight === 1 ? '' : `${number(weight)} times `
  if (of === 'height') return `${times}the torso's height / ${number(timestep)} s`
  const what = {
    positions: progress.positions?.length === 1 ? 'the root' : 'the mean of the roots',
    torso: 'the torso',
    mass: 'the centre of mass',
  }[of]
  return `${times}velocity of ${what} along x`
}

function healthyFact({ healthyReward, healthy, paidWhenUnhealthy }: Task): string {
  if (healthyReward === 0) return 'none'
  if (healthy === undefined) return `${healthyReward}, always`
  return `${healthyReward}, ${paidWhenUnhealthy ? 'also' : 'not'} in the step that ends the episode`
}

function contactFact({ contactCost }: Task): string {
  if (contactCost === undefined) return 'none'
  const { weight, clip, largest } = contactCost
  const clipped = clip === Infinity ? '' : `, each within ±${clip}`
  const most = largest === Infinity ? '' : `, at most ${largest}`
  return `${number(weight)} times the sum of squared contact forces${clipped}${most}`
}

function distanceFact({ distanceCosts }: Task): string {
  const names = { near: 'from the fingers to the object', distance: 'to the goal' }
  return (
    distanceCosts
      ?.map(({ name, weight }) => `${number(weight)} times the distance ${names[name]}`)
      .join('; ') ?? 'none'
  )
}

function endFact({ healthy }: Task): string {
  if (healthy === undefined) return 'never before the time limit'
  const { z, angle, state, inclusive } = healthy
  const outside = inclusive === true ? 'outside' : 'not strictly within'
  const range = ([low, high]: readonly [number, number]) =>
    high === Infinity ? `not above ${low}` : `${outside} ${low} to ${high}`
  return [
    `the height is ${range(z)} m`,
    ...(angle === undefined ? [] : [`the torso's angle is ${range(angle)} rad`]),
    ...(state === undefined ? [] : [`any other state is ${range(state)}`]),
  ].join(', or ')
}

/** Initial state of an episode: quantities with noise, and a remark if the task places others. */
function resetFact({ resetNoise, place, initialPositions, velocities }: Task): string {
  const { scale, velocity, velocityScale = scale } = resetNoise
  const positionNoise = `within ±${number(scale)} of the initial ones`
  const velocityNoise =
    velocity === 'normal' ? `normal with s.d. ${number(velocityScale)}` : `within ±${number(velocityScale)}`
  if (place === undefined) return `positions ${positionNoise}, velocities ${velocityNoise}`
  const qpos = initialPositions.map(() => NaN)
  const qvel = Array.from({ length: velocities }, () => NaN)
  place(new RandomStream(0, 0), qpos, qvel)
  const left = (array: 'qpos' | 'qvel', numbers: readonly number[]) =>
    elementsFact(numbers.flatMap((x, i) => (Number.isNaN(x) ? values(array, i, 1) : [])))
  const noisy = [
    ...(qpos.some(Number.isNaN) ? [`${left('qpos', qpos)} ${positionNoise}`] : []),
    ...(qvel.some(Number.isNaN) ? [`${left('qvel', qvel)} ${velocityNoise}`] : []),
  ]
  return `${noisy.join(', ')}; the other positions and velocities are placed`
}

/** Numbers of an observation by origin. */
function observationFact({ observation }: Task): string {
  const counts = new Map<string, number>()
  for (const { array, reading } of observation) {
    const how = {
      value: array,
      zero: `${array} as 0`,
      sine: 'sines',
      cosine: 'cosines',
      difference: 'offsets',
    }
    counts.set(how[reading], (counts.get(how[reading]) ?? 0) + 1)
  }
  const parts = [...counts].map(([name, count]) => `${name} ${count}`)
  return parts.length === 1 ? parts[0] : `${observation.length} = ${parts.join(' + ')}`
}

/** `array[first..last]` of each run of numbers. */
function elementsFact(elements: readonly ObservationElement[]): string {
  if (elements.length === 0) return 'nothing'
  const byArray = new Map<string, number[]>()
  for (const { array, index } of elements) byArray.set(array, [...(byArray.get(array) ?? []), index])
  return [...byArray]
    .map(([array, indices]) => {
      const sorted = indices.toSorted((a, b) => a - b)
      const runs: [number, number][] = []
      for (const index of sorted) {
        const last = runs.at(-1)
        if (last !== undefined && last[1] === index - 1) last[1] = index
        else runs.push([index, index])
      }
      return runs.map(([from, to]) => code(`${array}[${from === to ? from : `${from}..${to}`}]`)).join(' ')
    })
    .join(' ')
}

/** The index's gallery: three families a row. */
export function gallery(): string {
  const cells = FAMILIES.map((family) => {
    const [way] = dealings(family, topDivision(family))
    const ids = divisionsOf(family).join(', ')
    return `![${family}](img/${pictureOf(family, way.parts)})<br>[${family}](${family}.md): ${ids}`
  })
  const rows = Array.from({ length: Math.ceil(cells.length / 3) }, (_, row) =>
    [0, 1, 2].map((column) => cells[3 * row + column] ?? ''),
  )
  return table(['', '', ''], rows)
}

/** One line for every id, at its defaults. */
export function idsTable(): string {
  const rows = FAMILIES.flatMap((family) =>
    divisionsOf(family).map((division) => {
      const { spec, config } = factoryOf(family, division, {})!
      const actions = spec.agents.map(({ action }) => action as Box)
      return [
        `[${code(spec.id)}](${family}.md)`,
        `${config['version']}`,
        `${spec.agents.length}`,
        perAgent(spec.agents.map(({ observation }) => observation.size)),
        perAgent(actions.map(({ size }) => size)),
        `±${actions[0].high[0]}`,
        `${spec.stateSize}`,
        `${spec.timeLimit}`,
      ]
    }),
  )
  const head = ['id', 'default version', 'agents', 'observation', 'action', 'range', 'state', 'time limit']
  return table(head, rows)
}
