import { HatrpoError } from '../../src/errors.js'
import type { EnvContext } from '../../src/envs/context.js'
import { TaskSimulation } from '../../src/envs/mamujoco/simulation.js'
import { taskModel, type TaskVersion } from '../../src/envs/mamujoco/task.js'
import { fewestSegments, findTask, taskVersions } from '../../src/envs/mamujoco/tasks.js'
import { parseSegments } from '../../src/envs/mamujoco/partition.js'
import { PhysicsModel } from '../../src/envs/mujoco/world.js'
import { Differences } from './differences.js'
import { largestDifference, toNumbers } from './difference.js'
import { checkDivision } from './divisions.js'
import { parseGoldenEnv, type GoldenEnv, type Outcome, type Transition } from './env-file.js'
import type { FileReport } from './report.js'
import { compareSpaces } from './compare-spaces.js'
import {
  compareConverged,
  compareOutcome,
  isConstrained,
  isUnconverged,
  OUTCOME_FIELDS,
  TRANSITION_FIELDS,
} from './transition.js'

/** Our name of the main version of the files: their trajectories and divisions are of it, and other versions refer to its states. */
const MAIN_VERSION = 'v5'
/** Settings under which the projected Gauss-Seidel solver converges, as the files' `converged` blocks were made. */
const CONVERGED = { iterations: 20000, tolerance: 0 }
/** Blocks of a file: those that we compare, and words about them. */
const BLOCKS = ['spaces', 'transitions', 'trajectory', 'mamujoco']
const WORDS = ['format', 'task', 'split', 'protocol', 'reference', 'converged_note']

/** Actuators of one segment, for tasks of variable length. */
const ACTUATORS_PER_SEGMENT: Readonly<Record<string, number>> = { ManySegmentSwimmer: 1, ManySegmentAnt: 4 }

/** Runs the versions of the task of one file. */
interface Runner {
  readonly golden: GoldenEnv
  readonly differences: Differences
  /** @param segments in place of those that the file's actions tell */
  run(version: TaskVersion, segments?: number): Promise<TaskSimulation>
  /** With the solver run until it converges. */
  runConverged(version: TaskVersion): Promise<TaskSimulation>
}

/** Compares a file of environment transitions with ours. @param json its content */
export async function checkEnvironmentFile(json: unknown, context: EnvContext): Promise<FileReport> {
  const golden = parseGoldenEnv(json)
  if (taskVersions(golden.task) === undefined) throw new HatrpoError(`task not supported yet: ${golden.task}`)
  const runner = makeRunner(golden, context)
  const { differences } = runner
  differences.skipUnfamiliar(golden, [...BLOCKS, ...WORDS], '')
  for (const version of goldenVersions(golden)) {
    const ours = ourVersion(golden.task, version)
    if (ours === undefined) differences.skip(version, `we have no such version of ${golden.task}`)
    else await compareVersion(runner, version, ours)
  }
  if (golden.trajectory !== undefined) compareTrajectory(golden, await runner.run(MAIN_VERSION), differences)
  for (const [division, block] of Object.entries(golden.mamujoco ?? {})) {
    const size = parseSegments(golden.task, division)
    const simulation = await runner.run(MAIN_VERSION, size && size.agents * size.each)
    checkDivision(division, block, simulation, differences)
  }
  const comparisons = differences.all()
  if (comparisons.length === 0) throw new HatrpoError('holds nothing to compare with')
  const notes = differences.notes()
  if (isUnconverged(golden.task)) {
    notes.push(
      `${golden.task} stops its solver unconverged: steps under constraints are held to loose bounds, and to 1e-9 where the file has them converged`,
    )
  }
  return { comparisons, notes }
}

function makeRunner(golden: GoldenEnv, context: EnvContext): Runner {
  const segments = countSegments(golden)
  const task = (version: TaskVersion, other = segments) => findTask(golden.task, version, other)!
  return {
    golden,
    differences: new Differences(),
    run: async (version, other) => {
      const chosen = task(version, other)
      return new TaskSimulation(chosen, await taskModel(context, chosen), `${golden.task}-${version}`)
    },
    runConverged: async (version) => {
      const model = new PhysicsModel(await context.mujoco(), task(version).xml)
      Object.assign(model.handle.opt, CONVERGED)
      return new TaskSimulation(task(version), model, `${golden.task}-${version}`)
    },
  }
}

/** Number of segments of a task of variable length, from the length of its actions. */
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
  const stated = Object.values(golden.spaces ?? {}).map((fields) => fields['action_dim'])
  const actions = [...lengths, ...states, ...stated].find((length) => typeof length === 'number')
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

/** Entries of the main version in a file with several versions. */
function mainBlock<T>(blocks: Readonly<Record<string, T>> | undefined): T | undefined {
  return blocks?.[MAIN_VERSION] ?? blocks?.['v1']
}

async function compareVersion(runner: Runner, version: string, ours: TaskVersion): Promise<void> {
  const { golden, differences } = runner
  const simulation = await runner.run(ours)
  compareSpaces(golden.spaces?.[version] ?? {}, version, simulation, differences)
  const steps = golden.transitions?.[version] ?? []
  const prefix = `transitions.${version}`
  for (const step of steps) {
    differences.skipUnfamiliar(step, TRANSITION_FIELDS, `${prefix}.`)
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

/** Starts at the state of a transition, and compares its observation. */
function compareStart(
  golden: GoldenEnv,
  step: Transition,
  simulation: TaskSimulation,
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
  const main = mainBlock(golden.transitions)?.[step.same_state_as]
  if (main === undefined) {
    throw new HatrpoError(
      `${prefix}: same_state_as ${step.same_state_as}: no such ${MAIN_VERSION} transition`,
    )
  }
  differences.add(`${prefix}.state`, largestDifference(toNumbers(main.qpos), toNumbers(step.qpos)))
  differences.add(`${prefix}.state`, largestDifference(toNumbers(main.qvel), toNumbers(step.qvel)))
}

function takeStep(step: Outcome, simulation: TaskSimulation): void {
  const { task, world } = simulation
  const action = toNumbers(step.action)
  if (action.length !== task.actuators.length) {
    throw new HatrpoError(`an action of ${action.length} numbers, must be ${task.actuators.length}`)
  }
  world.doubles().set(action, world.ctrl)
  simulation.step()
}

/** From the initial positions that the file states, or ours. */
function compareTrajectory(golden: GoldenEnv, simulation: TaskSimulation, differences: Differences): void {
  const { initialPositions, velocities } = simulation.task
  const stated = mainBlock(golden.spaces)?.['init_qpos']
  simulation.start(stated == null ? initialPositions : toNumbers(stated), new Float64Array(velocities))
  const loose = isUnconverged(golden.task)
  const prefix = loose ? 'trajectory.unconverged' : 'trajectory'
  differences.skipUnfamiliar(golden.trajectory!, ['lcg_seed', 'start', 'note', 'steps'], 'trajectory.')
  for (const step of golden.trajectory!.steps) {
    differences.skipUnfamiliar(step, OUTCOME_FIELDS, 'trajectory.steps.')
    takeStep(step, simulation)
    compareOutcome(step, step, simulation, differences, { prefix, loose, version: MAIN_VERSION })
  }
}
