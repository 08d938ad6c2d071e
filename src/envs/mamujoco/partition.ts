import { usageError } from '../../errors.js'
import type { Task } from './tasks.js'

/** How actuators are dealt out: along MaMuJoCo's joint graph, or as the published code does, in the model's order. */
export type PartitionOrder = 'graph' | 'harl'

/** The ways to divide each task that its published results use: agents x actuators each. */
export const PARTITIONS: Readonly<Record<string, readonly string[]>> = {
  HalfCheetah: ['2x3', '3x2', '6x1'],
  Hopper: ['3x1'],
  Walker2d: ['2x3'],
}

/**
 * The actuators that each agent drives: agent k takes the k-th block of the order.
 * @param name agents x actuators each, such as `2x3`
 */
export function partition(task: Task, name: string, order: PartitionOrder): number[][] {
  const names = PARTITIONS[task.name] ?? []
  if (!names.includes(name)) {
    throw usageError(`partition ${name} of ${task.name}: must be one of ${names.join(', ')}`)
  }
  const [agents, each] = name.split('x').map(Number) as [number, number]
  const inOrder = order === 'harl' ? task.actuators : task.graphOrder
  return Array.from({ length: agents }, (_, k) =>
    inOrder.slice(k * each, (k + 1) * each).map((joint) => task.actuators.indexOf(joint)),
  )
}
