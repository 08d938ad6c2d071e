import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { HatrpoError } from '../../errors.js'
import type { EnvContext } from '../../envs/context.js'
import { Locomotion } from '../../envs/mamujoco/locomotion.js'
import { findTask, type TaskVersion } from '../../envs/mamujoco/tasks.js'
import { largestDifference, structuralDifference, toNumber, toNumbers } from './difference.js'
import type { Comparison, FileReport } from './report.js'
import { describeSpaces } from './spaces.js'

const BOUND = 1e-9
/** The version whose transitions and spaces are checked. */
const VERSION = 'v4'
/** The main version of the files: their trajectories were recorded with it, and states of other versions refer to it. */
const MAIN_VERSION = 'v5'
/** A field of `spaces` that names the reference's own file. */
const NOT_COMPARABLE = 'model_file'

const outcome = z.looseObject({
  action: z.array(z.unknown()),
  reward: z.unknown(),
  terminated: z.boolean(),
  obs: z.array(z.unknown()).optional(),
  info: z.record(z.string(), z.unknown()).optional(),
})
const start = { qpos: z.array(z.unknown()), qvel: z.array(z.unknown()) }
const transition = outcome.extend({
  ...start,
  next_qpos: z.array(z.unknown()),
  next_qvel: z.array(z.unknown()),
  same_state_as: z.number().int().optional(),
  obs_at_state: z.array(z.unknown()).optional(),
})
const goldenFile = z.looseObject({
  format: z.literal('golden-env/1'),
  task: z.string(),
  spaces: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  transitions: z.record(z.string(), z.array(transition)).optional(),
  trajectory: z.looseObject({ steps: z.array(outcome.extend(start)) }).optional(),
  mamujoco: z.record(z.string(), z.unknown()).optional(),
})

type Transition = z.infer<typeof transition>
type Outcome = z.infer<typeof outcome>
type GoldenFile = z.infer<typeof goldenFile>

/** Compares a file of environment transitions with ours. */
export async function checkEnvironmentFile(file: string, context: EnvContext): Promise<FileReport> {
  const golden = parse(await readFile(file, 'utf8'))
  if (findTask(golden.task, VERSION) === undefined)
    throw new HatrpoError(`task not supported yet: ${golden.task}`)
  const differences = new Differences()
  const notes: string[] = []
  const run = async (version: TaskVersion) => {
    const task = findTask(golden.task, version)!
    return new Locomotion(task, await context.model(task.xml), `${task.name}-${version}`)
  }
  const simulation = await run(VERSION)
  compareSpaces(golden, simulation, differences, notes)
  compareTransitions(golden, simulation, differences)
  noteSkipped(golden, notes)
  if (golden.trajectory !== undefined) {
    notes.push(`trajectory: recorded with ${MAIN_VERSION}, compared with the ${MAIN_VERSION} task`)
    compareTrajectory(golden, await run(MAIN_VERSION), differences)
  }
  const comparisons = differences.all()
  if (comparisons.length === 0)
    throw new HatrpoError(`holds nothing of ${VERSION} and no trajectory to compare with`)
  return { comparisons, notes }
}

function parse(text: string): GoldenFile {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new HatrpoError(`is not JSON: ${(cause as Error).message}`, { cause })
  }
  const result = goldenFile.safeParse(json)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]
  throw new HatrpoError(`is not a golden-env/1 file: ${path.join('.')}: ${message}`)
}

/** The largest difference of each quantity, in the order in which they first came. */
class Differences {
  private readonly largest = new Map<string, number>()

  add(quantity: string, difference: number): void {
    this.largest.set(quantity, Math.max(this.largest.get(quantity) ?? 0, difference))
  }

  all(): Comparison[] {
    return Array.from(this.largest, ([quantity, maxAbs]) => ({
      quantity,
      maxAbs,
      bound: BOUND,
      suggested: BOUND,
    }))
  }
}

function compareSpaces(
  golden: GoldenFile,
  { task, world }: Locomotion,
  differences: Differences,
  notes: string[],
): void {
  const fields = golden.spaces?.[VERSION]
  if (fields === undefined) return
  const ours = describeSpaces(task, world.model)
  for (const [name, value] of Object.entries(fields)) {
    const quantity = `spaces.${VERSION}.${name}`
    if (name === NOT_COMPARABLE) notes.push(`${quantity}: skipped, names the reference's own file`)
    else if (value === null) notes.push(`${quantity}: skipped, the file leaves it empty`)
    else if (!(name in ours)) notes.push(`${quantity}: skipped, not a field that we know`)
    else differences.add(quantity, structuralDifference(value, ours[name]))
  }
}

function compareTransitions(golden: GoldenFile, simulation: Locomotion, differences: Differences): void {
  const main = golden.transitions?.[MAIN_VERSION] ?? []
  for (const step of golden.transitions?.[VERSION] ?? []) {
    simulation.start(toNumbers(step.qpos), toNumbers(step.qvel))
    const at = step.same_state_as
    if (at !== undefined) compareState(step, main[at], at, simulation, differences)
    const prefix = `transitions.${VERSION}`
    const state = { qpos: step.next_qpos, qvel: step.next_qvel }
    compareStep(step, state, simulation, differences, prefix)
  }
}

/** The state that a transition shares with one of the main version: the same numbers, and the same observation of it. */
function compareState(
  step: Transition,
  main: Transition | undefined,
  at: number,
  simulation: Locomotion,
  differences: Differences,
): void {
  if (main === undefined) {
    throw new HatrpoError(`transitions.${VERSION}: same_state_as ${at}: no such ${MAIN_VERSION} transition`)
  }
  const prefix = `transitions.${MAIN_VERSION}`
  differences.add(`${prefix}.state`, largestDifference(toNumbers(main.qpos), toNumbers(step.qpos)))
  differences.add(`${prefix}.state`, largestDifference(toNumbers(main.qvel), toNumbers(step.qvel)))
  if (main.obs_at_state !== undefined) {
    const difference = largestDifference(toNumbers(main.obs_at_state), simulation.observation)
    differences.add(`${prefix}.obs_at_state`, difference)
  }
}

function compareTrajectory(golden: GoldenFile, simulation: Locomotion, differences: Differences): void {
  const { initialPositions } = simulation.task
  simulation.start(
    initialPositions,
    initialPositions.map(() => 0),
  )
  for (const step of golden.trajectory!.steps) {
    compareStep(step, { qpos: step.qpos, qvel: step.qvel }, simulation, differences, 'trajectory')
  }
}

/** Takes the step's action, and compares where it led. */
function compareStep(
  step: Outcome,
  next: { qpos: unknown; qvel: unknown },
  simulation: Locomotion,
  differences: Differences,
  prefix: string,
): void {
  const { task, world } = simulation
  const action = toNumbers(step.action)
  if (action.length !== task.actuators.length) {
    throw new HatrpoError(
      `${prefix}: an action of ${action.length} numbers, must be ${task.actuators.length}`,
    )
  }
  world.doubles().set(action, world.ctrl)
  const terminated = simulation.step()
  const memory = world.doubles()
  const read = (at: number, length: number) => memory.subarray(at, at + length)
  differences.add(`${prefix}.qpos`, largestDifference(toNumbers(next.qpos), read(world.qpos, world.model.nq)))
  differences.add(`${prefix}.qvel`, largestDifference(toNumbers(next.qvel), read(world.qvel, world.model.nv)))
  if (step.obs !== undefined) {
    differences.add(`${prefix}.obs`, largestDifference(toNumbers(step.obs), simulation.observation))
  }
  differences.add(`${prefix}.reward`, structuralDifference(step.reward, simulation.reward))
  differences.add(`${prefix}.terminated`, Math.abs(Number(step.terminated) - Number(terminated)))
  const velocity = step.info?.['x_velocity']
  if (velocity !== undefined) {
    differences.add(`${prefix}.x_velocity`, Math.abs(toNumber(velocity) - simulation.velocity))
  }
}

/** States what the file holds and this version does not compare. */
function noteSkipped(golden: GoldenFile, notes: string[]): void {
  for (const version of Object.keys(golden.spaces ?? {})) {
    if (version !== VERSION) notes.push(`spaces.${version}: skipped, version ${version} is not supported yet`)
  }
  for (const [version, steps] of Object.entries(golden.transitions ?? {})) {
    if (version === VERSION) continue
    notes.push(`transitions.${version}: ${steps.length} skipped, version ${version} is not supported yet`)
  }
  for (const division of Object.keys(golden.mamujoco ?? {})) {
    notes.push(`mamujoco.${division}: skipped, local observations (obs=0|1|2) are not supported yet`)
  }
}
