// Time of an environment step compared with its bare mj_step calls in the same WebAssembly binary, and with native
// libmujoco. One run alternates between the three with the same episodes. CPU time is measured, because a busy machine
// affects it less.
//
//   node dist/bench/environments.js [ID ...] [--all] [--rounds N] [--steps N] [--no-native] [--json]
//
// Without ids: one division of every task of MuJoCo; with --all: every division. Native steps need a C compiler and
// libmujoco (Debian: gcc, libmujoco-dev).
import { parseArgs } from 'node:util'
import { usageError } from '../src/errors.js'
import { EnvContext, makeEnvFactory } from '../src/envs/index.js'
import { onePerTask, simulatedEnvs } from '../src/envs/registry.js'
import {
  measurePhysics,
  physicsResults,
  type PhysicsCounts,
  type PhysicsFigures,
} from '../src/bench/physics.js'
import { asJson, host, median, type Result } from '../src/bench/report.js'
import { NativeProgram } from './native/program.js'
import { runMain } from './run-main.js'

const COLUMNS: readonly (readonly [title: string, width: number])[] = [
  ['', 32],
  ['env.step()', 11],
  ['mj_step', 9],
  ['ratio', 8],
  ['native', 9],
  ['native/ours', 12],
  ['contacts', 12],
  ['constraints', 13],
  ['iterations', 12],
  ['KiB', 7],
]

function printRow(cells: readonly string[]): void {
  const padded = cells.map((cell, i) => (i === 0 ? cell.padEnd(COLUMNS[i][1]) : cell.padStart(COLUMNS[i][1])))
  console.log(padded.join('').trimEnd())
}

/** The medians of one environment, and what MuJoCo worked on: here / native. */
function printFigures(id: string, { ours, bare, overBare, native, ofNative, ...rest }: PhysicsFigures): void {
  const show = (values: readonly number[], digits: number) =>
    values.length === 0 ? '-' : median(values).toFixed(digits)
  const { counts, nativeCounts, memory } = rest
  const pair = (name: keyof PhysicsCounts) =>
    [counts, nativeCounts].map((side) => (side === undefined ? '-' : side[name].toFixed(1))).join(' / ')
  const times = [show(ours, 1), show(bare, 1), show(overBare, 4), show(native, 1), show(ofNative, 3)]
  const work = [pair('contacts'), pair('constraints'), pair('iterations'), (memory / 1024).toFixed(0)]
  printRow([id, ...times, ...work])
}

interface Options {
  readonly ids: readonly string[]
  readonly rounds: number
  readonly steps: number
  readonly native: boolean
  readonly json: boolean
}

/** @throws HatrpoError (exit code 2) for an unknown option */
function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      allowNegative: true,
      options: {
        all: { type: 'boolean', default: false },
        rounds: { type: 'string', default: '15' },
        steps: { type: 'string', default: '600' },
        native: { type: 'boolean', default: true },
        json: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw usageError((error as Error).message)
  }
}

/** @throws HatrpoError (exit code 2) for an unknown option or id, or a wrong number */
function options(args: string[]): Options {
  const { values, positionals } = parse(args)
  const whole = (name: 'rounds' | 'steps') => {
    const value = Number(values[name])
    if (Number.isSafeInteger(value) && value >= 1) return value
    throw usageError(`--${name} ${values[name]}: must be a whole number from 1`)
  }
  const simulated = values.all ? simulatedEnvs() : onePerTask(simulatedEnvs())
  const ids = positionals.length > 0 ? positionals : simulated
  for (const id of ids) makeEnvFactory({ id })
  return { ids, rounds: whole('rounds'), steps: whole('steps'), native: values.native, json: values.json }
}

/** The native program, or nothing and a line on standard error. */
function compileNative(): NativeProgram | undefined {
  const program = NativeProgram.compile()
  if (typeof program !== 'string') return program
  console.error(`native figures are left out: ${program}`)
  return undefined
}

async function main(): Promise<void> {
  const { ids, rounds, steps, native, json } = options(process.argv.slice(2))
  const program = native ? compileNative() : undefined
  const context = new EnvContext()
  const all: Result[] = []
  try {
    if (!json) {
      console.log(`us of CPU time a step, medians of ${rounds} rounds (${host.cpu}, Node ${host.node})`)
      printRow(COLUMNS.map(([title]) => title))
    }
    for (const id of ids) {
      const figures = await measurePhysics({ id }, { rounds, steps }, context, program ?? null)
      all.push(...physicsResults(id, figures))
      if (!json) printFigures(id, figures)
    }
  } finally {
    program?.dispose()
  }
  if (json) console.log(asJson(all))
}

await runMain(main)
