import { readFile } from 'node:fs/promises'
import { HatrpoError } from '../../errors.js'
import type { EnvContext } from '../../envs/context.js'
import { Locomotion } from '../../envs/mamujoco/locomotion.js'
import type { TaskVersion } from '../../envs/mamujoco/task.js'
import { fewestSegments, findTask, taskVersions } from '../../envs/mamujoco/tasks.js'
import { PhysicsModel } from '../../envs/mujoco/world.js'
import { Differences } from './differences.js'
import { largestDifference, structuralDifference, toNumbers } from './difference.js'
import { checkDivision } from './divisions.js'
import { parseGoldenEnv, type GoldenEnv, type Outcome, type Transition } from './env-file.js'
import type { FileReport } from './report.js'
import { describeSpaces } from './spaces.js'
import { compareConverged, compareOutcome, isConstrained, isUnconverged } from './transition.js'

/** The main version of the files: their trajectories were recorded with it, and states of other versions refer to it. */
const MAIN_VERSION = 'v5'
/** A field of `spaces` that names the reference's own file. */
const NOT_COMPARABLE = 'model_file'
/** Settings under which the projected Gauss-Seidel solver converges, as the files' `converged` blocks were made. */
const CONVERGED = { iterations: 20000, tolerance: 0 }

/** Actuators of one segment, of the tasks that come in any length. */
const ACTUATORS_PER_SEGMENT: Readonly<Record<string, number>> = { ManySegmentSwimmer: 1, ManySegmentAnt: 4 }

/** Runs the versions of the task of one file. */
interface Runner {
  readonly golden: GoldenEnv
  readonly differences: Differences
  readonly notes: string[]
  run(version: TaskVersion): Promise<Locomotion>
  /** With the solver run until it converges. */
  runConverged(version: TaskVersion): Promise<Locomotion>
}

/** Compares a file of environment transitions with ours. */
export async function checkEnvironmentFile(file: string, context: EnvContext): Promise<FileReport> {
  const golden = parseGoldenEnv(await readFile(file, 'utf8'))
  if (taskVersions(golden.task) === undefined) throw new HatrpoError(`task not supported yet: ${golden.task}`)
  const runner = makeRunner(golden, context)
  const { differences, notes } = runner
  if (isUnconverged(golden.task)) {
    notes.push(
      `${golden.task} stops its solver unconverged: steps under constraints are held to loose bounds, and to 1e-9 where the file has them converged`,
    )
  }
  for (const version of goldenVersions(golden)) {
    const ours = ourVersion(golden.task, version)
    if (ours === undefined) notes.push(`${version}: skipped, we have no such version of ${golden.task}`)
    else await compareVersion(runner, version, ours)
  }
  const main = ourVersion(golden.task, MAIN_VERSION)!
  if (golden.trajectory !== undefined) compareTrajectory(golden, await runner.run(main), differences)
  for (const [division, block] of Object.entries(golden.mamujoco ?? {})) {
    checkDivision(division, block, await runner.run(main), differences, notes)
  }
  const comparisons = differences.all()
  if (comparisons.length === 0) throw new HatrpoError('holds nothing to compare with')
  return { comparisons, notes }
}

function makeRunner(golden: GoldenEnv, context: EnvContext): Runner {
  const segments = countSegments(golden)
  const task = (version: TaskVersion) => findTask(golden.task, version, segments)!
  return {
    golden,
    differences: new Differences(),
    notes: [],
    run: async (version) =>
      new Locomotion(task(version), await context.model(task(version).xml), `${golden.task}-${version}`),
    runConverged: async (version) => {
      const model = new PhysicsModel(await context.mujoco(), task(version).xml)
      Object.assign(model.handle.opt, CONVERGED)
      return new Locomotion(task(version), model, `${golden.task}-${version}`)
    },
  }
}

/** Segments of a task that comes in any length, told by the length of its actions. */
function countSegments(golden: GoldenEnv): number | undefined {
  if (fewestSegments(golden.task) === undefined) return undefined
  const outcomes: readonly (Outcome | undefined)[] = [
    ...Object.values(golden.transitions ?? {}).map((steps) => steps[0]),
    golden.trajectory?.steps[0],
  ]
  const lengths = outcomes.map((outcome) => outcome?.action.length)
  const states = Object.values(golden.mamujoco ?? {}).map(
    ({ states: [state] }) => state?.global_action.length,
  )
  const actions = [...lengths, ...states].find((length) => length !== undefined)
  if (actions === undefined)
    throw new HatrpoError(`holds no action that would tell the length of ${golden.task}`)
  return actions / ACTUATORS_PER_SEGMENT[golden.task]
}

function goldenVersions(golden: GoldenEnv): string[] {
  return [...new Set([...Object.keys(golden.spaces ?? {}), ...Object.keys(golden.transitions ?? {})])]
}

/** Our name of a version: Gymnasium-Robotics' own tasks have only a v1, which is as Gymnasium's v5. */
function ourVersion(task: string, version: string): TaskVersion | undefined {
  return taskVersions(task)!.find((ours) => ours === (version === 'v1' ? MAIN_VERSION : version))
}

async function compareVersion(runner: Runner, version: string, ours: TaskVersion): Promise<void> {
  const { golden, differences } = runner
  const simulation = await runner.run(ours)
  compareSpaces(runner, version, simulation)
  const steps = golden.transitions?.[version] ?? []
  const prefix = `transitions.${version}`
  for (const step of steps) {
    compareStart(golden, step, simulation, differences, prefix)
    const constrained = isConstrained(golden.task, step)
    const name = constrained ? `${prefix}.unconverged` : prefix
    takeStep(step, simulation)
    compareOutcome(step, { qpos: step.next_qpos, qvel: step.next_qvel }, simulation, differences, {
      prefix: name,
      loose: constrained,
      version,
    })
  }
  if (!steps.some(({ converged }) => converged !== undefined)) return
  const precise = await runner.runConverged(ours)
  for (const step of steps) {
    if (step.converged === undefined) continue
    precise.start(toNumbers(step.qpos), toNumbers(step.qvel))
    takeStep(step, precise)
    compareConverged(step.converged, precise, differences, { prefix: `${prefix}.converged`, version })
  }
}

function compareSpaces(
  { golden, differences, notes }: Runner,
  version: string,
  simulation: Locomotion,
): void {
  const fields = golden.spaces?.[version]
  if (fields === undefined) return
  const ours = describeSpaces(simulation.task, simulation.world.model, version)
  for (const [name, value] of Object.entries(fields)) {
    const quantity = `spaces.${version}.${name}`
    if (name === NOT_COMPARABLE) notes.push(`${quantity}: skipped, names the reference's own file`)
    else if (value === null) notes.push(`${quantity}: skipped, the file leaves it empty`)
    else if (!(name in ours)) notes.push(`${quantity}: skipped, not a field that we know`)
    else differences.add(quantity, structuralDifference(value, ours[name]))
  }
}

/** Starts at a transition's state, and compares what is observed there. */
function compareStart(
  golden: GoldenEnv,
  step: Transition,
  simulation: Locomotion,
  differences: Differences,
  prefix: string,
): void {
  simulation.start(toNumbers(step.qpos), toNumbers(step.qvel))
  const { world, observation } = simulation
  if (step.qpos_after_set_state !== undefined) {
    const qpos = world.doubles().subarray(world.qpos, world.qpos + world.model.nq)
    const difference = largestDifference(toNumbers(step.qpos_after_set_state), qpos)
    differences.add(`${prefix}.qpos_after_set_state`, difference)
  }
  if (step.obs_at_state !== undefined) {
    differences.add(`${prefix}.obs_at_state`, largestDifference(toNumbers(step.obs_at_state), observation))
  }
  if (step.same_state_as === undefined) return
  const main = golden.transitions?.[MAIN_VERSION]?.[step.same_state_as]
  if (main === undefined) {
    throw new HatrpoError(
      `${prefix}: same_state_as ${step.same_state_as}: no such ${MAIN_VERSION} transition`,
    )
  }
  differences.add(`${prefix}.state`, largestDifference(toNumbers(main.qpos), toNumbers(step.qpos)))
  differences.add(`${prefix}.state`, largestDifference(toNumbers(main.qvel), toNumbers(step.qvel)))
}

function takeStep(step: Outcome, simulation: Locomotion): void {
  const { task, world } = simulation
  const action = toNumbers(step.action)
  if (action.length !== task.actuators.length) {
    throw new HatrpoError(`an action of ${action.length} numbers, must be ${task.actuators.length}`)
  }
  world.doubles().set(action, world.ctrl)
  simulation.step()
}

function compareTrajectory(golden: GoldenEnv, simulation: Locomotion, differences: Differences): void {
  const { initialPositions, velocities } = simulation.task
  simulation.start(initialPositions, new Float64Array(velocities))
  const loose = isUnconverged(golden.task)
  for (const step of golden.trajectory!.steps) {
    takeStep(step, simulation)
    compareOutcome(step, step, simulation, differences, {
      prefix: loose ? 'trajectory.unconverged' : 'trajectory',
      loose,
      version: MAIN_VERSION,
    })
  }
}
