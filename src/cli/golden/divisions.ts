import type { Element } from '../../envs/mamujoco/elements.js'
import { Reader } from '../../envs/mamujoco/elements.js'
import { jointGraph, type JointGraph } from '../../envs/mamujoco/graph.js'
import { localElements, nodesByDistance, ownedNodes } from '../../envs/mamujoco/local.js'
import { Locomotion } from '../../envs/mamujoco/locomotion.js'
import { hasDivision, partition } from '../../envs/mamujoco/partition.js'
import type { Task } from '../../envs/mamujoco/task.js'
import type { Differences } from './differences.js'
import { largestDifference, structuralDifference, toNumbers } from './difference.js'
import type { Division, View } from './env-file.js'
import { compareElements, compareOutcome, isUnconverged } from './transition.js'

/** The version that Gymnasium-Robotics divides. */
const VERSION = 'v5'

/** One agent of one view: what it drives and sees. */
interface Agent {
  readonly name: string
  readonly actuators: readonly number[]
  readonly elements: readonly Element[]
}

/** Compares a `mamujoco` block: who drives and sees what, and what that is in a few states. */
export function checkDivision(
  name: string,
  block: Division,
  simulation: Locomotion,
  differences: Differences,
  notes: string[],
): void {
  const { task } = simulation
  const graph = jointGraph(task, 'farama')
  const actuators = dealOut(task, name, block, notes)
  for (const [depth, view] of Object.entries(block.obsk)) {
    const prefix = `mamujoco.${name}.obsk.${depth}`
    const agents = Object.keys(view.agents).map((agent, k): Agent => {
      const categories = {
        depth: Number(depth),
        categories: block.local_categories,
        globals: block.global_categories,
      }
      return {
        name: agent,
        actuators: actuators[k],
        elements: localElements(task, graph, actuators[k], categories),
      }
    })
    for (const agent of agents) compareLayout(agent, Number(depth), view, task, graph, differences, prefix)
    compareStates(block, view, agents, simulation, differences, prefix)
  }
}

/** Our actuators of each agent; those of the file where it divides the task in a way that we have no name for. */
function dealOut(task: Task, name: string, block: Division, notes: string[]): number[][] {
  const ours = name.replaceAll('|', '_')
  if (hasDivision(task.name, ours)) {
    try {
      return partition(task, ours, 'farama', 'farama')
    } catch {
      // We have the name, but not in Gymnasium-Robotics' order.
    }
  }
  notes.push(
    `mamujoco.${name}: not a division of Gymnasium-Robotics that we know; its actuators are taken from the file`,
  )
  const [view] = Object.values(block.obsk)
  return Object.values(view.agents).map(({ action_ids }) => action_ids)
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
  const owned = ownedNodes(graph, actuators)
  // A label that Gymnasium-Robotics uses twice is told apart by what follows a space.
  const labels = (nodes: readonly number[]) => nodes.map((node) => graph.nodes[node].label.split(' ')[0])
  const range = Math.fround(task.controlRange)
  const compare = (field: string, theirs: unknown, ours: unknown) =>
    differences.add(`${prefix}.${field}`, structuralDifference(theirs, ours))
  compare('obs_dim', golden.obs_dim, elements.length)
  compare('action_dim', golden.action_dim, actuators.length)
  compare('action_range', [golden.action_low, golden.action_high], [-range, range])
  compare('action_ids', golden.action_ids, actuators)
  compare('action_nodes', golden.action_nodes, labels(owned))
  compare('nodes_by_distance', golden.nodes_by_distance, nodesByDistance(graph, owned, depth).map(labels))
  if (golden.index_map !== null) compare('index_map', golden.index_map, indexMap(task, elements))
}

/** Where each element stands in the whole observation; 0, as in Gymnasium-Robotics' map, where it does not stand there. */
function indexMap(task: Task, elements: readonly Element[]): number[] {
  return elements.map(({ array, index }) => {
    const at = task.observation.findIndex((element) => element.array === array && element.index === index)
    return Math.max(at, 0)
  })
}

function compareStates(
  block: Division,
  view: View,
  agents: readonly Agent[],
  simulation: Locomotion,
  differences: Differences,
  prefix: string,
): void {
  const { world, task } = simulation
  // A world of its own, in which what the agents see is computed too.
  const others = agents.flatMap(({ elements }) => elements)
  const seeing = new Locomotion(task, world.model, world.envId, others)
  const loose = isUnconverged(task.name)
  const manner = { prefix, loose, version: VERSION }
  const compareLocal = (golden: Readonly<Record<string, unknown>>, at: string, looseHere: boolean) => {
    for (const { name, elements } of agents) {
      const ours = new Float64Array(elements.length)
      new Reader(elements, seeing.world).read(seeing.world.doubles(), ours)
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
    const { reward, terminated, global_obs: obs } = state
    const next = { qpos: state.next_qpos, qvel: state.next_qvel }
    compareOutcome({ reward, terminated, obs }, next, seeing, differences, manner)
    compareLocal(view.local_obs[i], 'local_obs', loose)
  })
  seeing.world.dispose()
}
