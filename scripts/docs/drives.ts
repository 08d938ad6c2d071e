import { makeEnvFactory } from '../../src/envs/registry.js'
import type { EnvFactory } from '../../src/envs/factory.js'
import { agentParts } from '../../src/envs/mamujoco/family.js'
import { resolveOptions, type PartitionOrder } from '../../src/envs/mamujoco/options.js'
import { divisionNames, parseSegments } from '../../src/envs/mamujoco/partition.js'
import type { Task, TaskVersion } from '../../src/envs/mamujoco/task.js'
import { findTask, TASK_NAMES, taskVersions, usualVersion } from '../../src/envs/mamujoco/tasks.js'
import { HatrpoError } from '../../src/errors.js'

/** Every family of tasks: one page each. */
export const FAMILIES: readonly string[] = TASK_NAMES

export const PARTITIONS: readonly PartitionOrder[] = ['harl', 'graph', 'farama']

export function versionsOf(family: string): readonly TaskVersion[] {
  return taskVersions(family)!
}

/** The divisions that `hatrpo list envs` shows of a family. */
export function divisionsOf(family: string): string[] {
  return divisionNames(family)
}

/** @param division determines the length of tasks of variable length */
export function taskOf(family: string, division: string, version = usualVersion(family)): Task {
  const size = parseSegments(family, division)
  return findTask(family, version, size && size.agents * size.each)!
}

/** The factory, or undefined where the task is not divided so. */
export function factoryOf(
  family: string,
  division: string,
  options: Readonly<Record<string, string>>,
): EnvFactory | undefined {
  try {
    return makeEnvFactory({ id: `mamujoco/${family}-${division}`, ...options })
  } catch (error) {
    if (error instanceof HatrpoError && error.message.startsWith('env.partition=farama')) return undefined
    throw error
  }
}

/** Assignment of actuators under one or more partitions that agree. */
export interface Dealing {
  readonly partitions: readonly PartitionOrder[]
  /** Per agent: its actuators, in the order of its action. */
  readonly parts: readonly (readonly number[])[]
}

/** Distinct assignments of a division's actuators by the partitions, the default's first. */
export function dealings(family: string, division: string): Dealing[] {
  const task = taskOf(family, division)
  const found = new Map<string, { partitions: PartitionOrder[]; parts: readonly (readonly number[])[] }>()
  for (const partition of PARTITIONS) {
    if (factoryOf(family, division, { partition }) === undefined) continue
    const options = resolveOptions({ partition }, versionsOf(family), usualVersion(family))
    const parts = agentParts(task, division, options).map(({ actuators }) => actuators)
    const key = JSON.stringify(parts)
    const same = found.get(key)
    if (same === undefined) found.set(key, { partitions: [partition], parts })
    else same.partitions.push(partition)
  }
  return [...found.values()]
}
