import type { TaskSimulation } from '../../src/envs/mamujoco/simulation.js'
import { structuralDifference } from './difference.js'
import type { Differences } from './differences.js'
import { describeSpaces, RESET_WORDS } from './spaces.js'

/** A field of `spaces` that names the reference's own file. */
const NOT_COMPARABLE = 'model_file'
/** Fields that a version may have more or fewer entries of: each entry that both sides have is compared. */
const OPEN = ['parameters', 'reset']
/** Leading entries of `init_qpos` that hold: Gymnasium's Pusher writes to the others where a reset put its object. */
const INITIAL: Readonly<Record<string, number>> = { Pusher: 7 }

/** Compares the model, spaces and settings of a version in a file with those of this package. */
export function compareSpaces(
  fields: Readonly<Record<string, unknown>>,
  version: string,
  { task, world }: TaskSimulation,
  differences: Differences,
): void {
  const ours = describeSpaces(task, world.model, version)
  for (const [name, value] of Object.entries(fields)) {
    const quantity = `spaces.${version}.${name}`
    if (name === NOT_COMPARABLE) differences.skip(quantity, "names the reference's own file")
    else if (value == null) differences.skip(quantity, 'the file leaves it empty')
    else if (!(name in ours)) differences.skip(quantity, 'not something that we know')
    else if (OPEN.includes(name)) compareEntries(value, ours[name], quantity, differences)
    else if (name === 'init_qpos' && Array.isArray(value) && Object.hasOwn(INITIAL, task.name)) {
      const initial = (positions: readonly unknown[]) => positions.slice(0, INITIAL[task.name])
      differences.skip(`${quantity} from ${INITIAL[task.name]}`, 'a reset of the original writes to them')
      differences.add(quantity, structuralDifference(initial(value), initial(task.initialPositions)))
    } else differences.add(quantity, structuralDifference(value, ours[name]))
  }
}

function compareEntries(golden: unknown, ours: unknown, quantity: string, differences: Differences): void {
  if (typeof golden !== 'object') return differences.add(quantity, Infinity)
  const known = ours as Readonly<Record<string, unknown>>
  for (const [name, value] of Object.entries(golden as Readonly<Record<string, unknown>>)) {
    const ofOurs = known[name]
    // A rule in words that we never use cannot be held against ours.
    const strange = typeof value === 'string' && typeof ofOurs === 'string' && !RESET_WORDS.includes(value)
    if (ofOurs === undefined || value === null || strange) {
      differences.skip(`${quantity}.${name}`, 'not something that we know')
    } else differences.add(quantity, structuralDifference(value, ofOurs))
  }
}
