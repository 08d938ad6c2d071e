import type { DataArray } from '../mujoco/world.js'
import { values, zeros, type ObservationElement } from './elements.js'
import type { JointGraph } from './graph.js'
import type { Task } from './task.js'

/** Numbers per body of the categories that are about bodies. */
const PER_BODY: Readonly<Record<string, number>> = { cinert: 10, cvel: 6, cfrc_ext: 6 }

/** Settings that decide which parts of the state an agent observes. */
export interface LocalView {
  /** Distance in the joint graph within which it sees. */
  readonly depth: number
  /** Categories at distance 0, 1, ...; the last one repeats. */
  readonly categories: readonly (readonly string[])[]
  /** Categories of the roots. */
  readonly globals: readonly string[]
}

/**
 * Nodes by distance from the nodes that an agent owns, each distance sorted by label as text.
 * @param owned positions in `graph.nodes`
 * @returns [depth + 1] lists of positions in `graph.nodes`
 */
export function nodesByDistance(graph: JointGraph, owned: readonly number[], depth: number): number[][] {
  const byLabel = (nodes: Iterable<number>) =>
    [...nodes].sort((a, b) => compareText(graph.nodes[a].label, graph.nodes[b].label))
  const seen = new Set(owned)
  let last = new Set(owned)
  const distances = [byLabel(last)]
  for (let distance = 1; distance <= depth; distance++) {
    const near = graph.edges.filter((edge) => edge.some((node) => last.has(node))).flat()
    last = new Set(near.filter((node) => !seen.has(node)))
    for (const node of last) seen.add(node)
    distances.push(byLabel(last))
  }
  return distances
}

/** By code units, so that the order does not depend on the language of the machine. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The nodes that drive an agent's actuators. */
export function ownedNodes(graph: JointGraph, actuators: readonly number[]): number[] {
  return actuators.map((actuator) => graph.nodes.findIndex((node) => node.actuator === actuator))
}

/**
 * An agent's observation: node by node outwards, category by category, each body once per category; then the roots,
 * category by category.
 * @param actuators that the agent drives
 */
export function localElements(
  task: Task,
  graph: JointGraph,
  actuators: readonly number[],
  view: LocalView,
): ObservationElement[] {
  const distances = nodesByDistance(graph, ownedNodes(graph, actuators), view.depth)
  const shown = new Set<string>()
  const bodyElements = (category: string, bodies: readonly number[]) =>
    bodies.flatMap((body) => {
      if (shown.has(`${category} ${body}`)) return []
      shown.add(`${category} ${body}`)
      const clip = category === 'cfrc_ext' ? graph.forceClip : Infinity
      const elements = values(category as DataArray, body * PER_BODY[category], PER_BODY[category], clip)
      // In the published runs the engine gave no contact forces.
      return category === 'cfrc_ext' && task.version === 'v2' ? zeros(elements) : elements
    })
  const local = distances.flatMap((nodes, distance) => {
    const categories = view.categories[Math.min(distance, view.categories.length - 1)]
    return nodes.flatMap((n) =>
      categories.flatMap((category) => {
        const { seen, bodies } = graph.nodes[n]
        return category in PER_BODY ? bodyElements(category, bodies) : (seen[category] ?? [])
      }),
    )
  })
  const globals = view.globals.flatMap((category) => graph.globals.flatMap((seen) => seen[category] ?? []))
  return [...local, ...globals]
}
