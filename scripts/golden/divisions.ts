import type { ObservationElement } from '../../src/envs/mamujoco/elements.js'
import { ObservationReader } from '../../src/envs/mamujoco/elements.js'
import { givenLabel, jointGraph, type JointGraph, type JointNode } from '../../src/envs/mamujoco/graph.js'
import { localElements, nodesByDistance, ownedNodes } from '../../src/envs/mamujoco/local.js'
import { TaskSimulation } from '../../src/envs/mamujoco/simulation.js'
import { isFaramaDivision, partition } from '../../src/envs/mamujoco/partition.js'
import type { Task } from '../../src/envs/mamujoco/task.js'
import type { Differences } from './differences.js'
import { largestDifference, structuralDifference, toNumbers } from './difference.js'
import type { Division, View } from './env-file.js'
import { compareElements, compareOutcome, isUnconverged, TRANSITION_FIELDS } from './transition.js'

/** The version that Gymnasium-Robotics divides. */
const VERSION = 'v5'
/** Default observation of the roots. */
const GLOBALS = ['qpos', 'qvel']

/** One agent of one view: its actuators and observation. */
interface Agent {
  readonly name: string
  readonly actuators: readonly number[]
  readonly elements: readonly ObservationElement[]
}

/** Fields of a block, of a view and of a state in it that are compared or follow from what is. */
const BLOCK_FIELDS = ['states', 'obsk', 'local_categories', 'global_categories']
const VIEW_FIELDS = ['agents', 'local_obs', 'local_obs_at_state_0', 'index_map_disagrees_at']
const STATE_FIELDS = [...TRANSITION_FIELDS, 'actions', 'global_action', 'global_obs']
const AGENT_FIELDS = [
  ...['obs_dim', 'action_dim', 'action_low', 'action_high', 'action_nodes', 'action_ids'],
  ...['nodes_by_distance', 'index_map'],
]

/** Compares a `mamujoco` block: who drives and sees what, and what that is in a few states. */
export function checkDivision(
  name: string,
  block: Division,
  simulation: TaskSimulation,
  differences: Differences,
): void {
  const { task } = simulation
  const graph = jointGraph(task, 'farama')
  const actuators = dealOut(task, name, block, differences)
  differences.skipUnfamiliar(block, BLOCK_FIELDS, `mamujoco.${name}.`)
  for (const [key, view] of Object.entries(block.obsk)) {
    const prefix = `mamujoco.${name}.obsk.${key}`
    const depth = Number(key)
    if (!Number.isSafeInteger(depth) || depth < 0) {
      differences.skip(prefix, 'not a distance')
      continue
    }
    differences.skipUnfamiliar(view, VIEW_FIELDS, `${prefix}.`)
    const names = Object.keys(view.agents)
    differences.add(`${prefix}.agents`, Math.abs(names.length - actuators.length))
    if (names.length !== actuators.length) continue
    const local = {
      depth,
      categories: block.local_categories ?? graph.categories,
      globals: block.global_categories ?? GLOBALS,
    }
    const agents = names.map((agent, k): Agent => {
      const owned = actuators[k]
      const orders = tiedOrders(graph).map((order) => localElements(task, order, owned, local))
      return { name: agent, actuators: owned, elements: fitting(orders, agent, block, view, simulation) }
    })
    for (const agent of agents) compareLayout(agent, depth, view, task, graph, differences, prefix)
    compareStates(block, view, agents, simulation, differences, prefix)
  }
}

/** Our actuators of each agent; those of the file where it divides the task in a way that we have no name for. */
function dealOut(task: Task, name: string, block: Division, differences: Differences): number[][] {
  const ours = name.replaceAll('|', '_')
  if (isFaramaDivision(task, ours)) return partition(task, ours, 'farama', 'farama')
  differences.skip(
    `actuators of mamujoco.${name}`,
    'not a division of Gymnasium-Robotics that we know: they are taken from the file',
  )
  const [view] = Object.values(block.obsk)
  return Object.values(view?.agents ?? {}).map(({ action_ids }) => action_ids)
}

/**
 * The graph with its nodes of one label in every order: which of them comes first is left to where Python kept them in
 * memory when the file was made.
 */
function tiedOrders(graph: JointGraph): JointGraph[] {
  const tied = graph.nodes.flatMap((node, n) => {
    const isTied = (other: JointNode) => other.label !== node.label && givenLabel(other) === givenLabel(node)
    return graph.nodes.some(isTied) ? [n] : []
  })
  return permutations(tied).map((order) => ({
    ...graph,
    nodes: graph.nodes.map((node, n) =>
      tied.includes(n) ? { ...node, label: `${givenLabel(node)} ${order.indexOf(n)}` } : node,
    ),
  }))
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  )
}

/** Order of an agent's observation that is closest to its observation in the file after the first step. */
function fitting(
  orders: readonly ObservationElement[][],
  agent: string,
  { states: [state] }: Division,
  { local_obs: [seen] }: View,
  { task, world }: TaskSimulation,
): readonly ObservationElement[] {
  if (orders.length === 1 || state === undefined || seen === undefined) return orders[0]
  const seeing = new TaskSimulation(task, world.model, world.envId, orders.flat())
  seeing.start(toNumbers(state.qpos), toNumbers(state.qvel))
  seeing.world.doubles().set(toNumbers(state.global_action), seeing.world.ctrl)
  seeing.step()
  const distances = orders.map((elements) => {
    const ours = new Float64Array(elements.length)
    new ObservationReader(elements, seeing.world).read(seeing.world.doubles(), ours)
    return largestDifference(toNumbers(seen[agent]), ours)
  })
  seeing.world.dispose()
  return orders[distances.indexOf(Math.min(...distances))]
}

function compareLayout(
  { name, actuators, elements }: Agent,
  depth: number,
  view: View,
  task: Task,
  graph: JointGraph,
  differences: Differences,
  prefix: string,
): void {
  const golden = view.agents[name]
  differences.skipUnfamiliar(golden, AGENT_FIELDS, `${prefix}.agents.`)
  const owned = ownedNodes(graph, actuators)
  const labels = (nodes: readonly number[]) => nodes.map((node) => givenLabel(graph.nodes[node]))
  const range = Math.fround(task.controlRange)
  const compare = (field: string, theirs: unknown, ours: unknown) =>
    differences.add(`${prefix}.${field}`, structuralDifference(theirs, ours))
  compare('obs_dim', golden.obs_dim, elements.length)
  compare('action_dim', golden.action_dim, actuators.length)
  const bounds = [golden.action_low, golden.action_high].flat()
  compare('action_range', bounds, [
    ...bounds.slice(bounds.length / 2).map(() => -range),
    ...bounds.slice(bounds.length / 2).map(() => range),
  ])
  compare('action_ids', golden.action_ids, actuators)
  compare('action_nodes', golden.action_nodes, labels(owned))
  if (golden.nodes_by_distance != null) {
    const ours = nodesByDistance(graph, owned, depth).map(labels)
    compare('nodes_by_distance', golden.nodes_by_distance, ours)
  }
  if (golden.index_map == null) {
    differences.skip(`${prefix}.index_map`, 'the file leaves it empty')
  } else compare('index_map', golden.index_map, indexMap(task, elements))
}

/** Index of each element in the whole observation; 0, as in Gymnasium-Robotics' map, where it is not part of it. */
function indexMap(task: Task, elements: readonly ObservationElement[]): number[] {
  return elements.map(({ array, index }) => {
    const at = task.observation.findIndex((element) => element.array === array && element.index === index)
    return Math.max(at, 0)
  })
}

function compareStates(
  block: Division,
  view: View,
  agents: readonly Agent[],
  simulation: TaskSimulation,
  differences: Differences,
  prefix: string,
): void {
  const { world, task } = simulation
  // A separate world, in which observations are also computed.
  const others = agents.flatMap(({ elements }) => elements)
  const seeing = new TaskSimulation(task, world.model, world.envId, others)
  const loose = isUnconverged(task.name)
  const manner = { prefix, loose, version: VERSION }
  const compareLocal = (golden: Readonly<Record<string, unknown>>, at: string, looseHere: boolean) => {
    for (const { name, elements } of agents) {
      const ours = new Float64Array(elements.length)
      new ObservationReader(elements, seeing.world).read(seeing.world.doubles(), ours)
      const mannerHere = { ...manner, loose: looseHere, prefix: `${prefix}.${at}` }
      compareElements(toNumbers(golden[name]), ours, elements, differences, mannerHere)
    }
  }
  block.states.forEach((state, i) => {
    seeing.start(toNumbers(state.qpos), toNumbers(state.qvel))
    if (i === 0 && view.local_obs_at_state_0 !== undefined) {
      compareLocal(view.local_obs_at_state_0, 'local_obs_at_state_0', false)
    }
    const controls = seeing.world
      .doubles()
      .subarray(seeing.world.ctrl, seeing.world.ctrl + task.actuators.length)
    for (const { name, actuators } of agents) {
      toNumbers(state.actions[name]).forEach((action, j) => (controls[actuators[j]] = action))
    }
    differences.add(`${prefix}.global_action`, largestDifference(toNumbers(state.global_action), controls))
    seeing.step()
    differences.skipUnfamiliar(state, STATE_FIELDS, `${prefix}.states.`)
    const { reward, terminated, global_obs: obs, info } = state
    const next = { qpos: state.next_qpos, qvel: state.next_qvel }
    compareOutcome({ reward, terminated, obs, info }, next, seeing, differences, manner)
    if (view.local_obs[i] !== undefined) compareLocal(view.local_obs[i], 'local_obs', loose)
  })
  seeing.world.dispose()
}
