import { spawnSync } from 'node:child_process'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { HatrpoError } from '../../errors.js'
import { makeFolders } from '../../files.js'
import { EnvContext } from '../context.js'
import type { Box } from '../contract.js'
import { makeEnvFactory, onePerTask, simulatedEnvs } from '../registry.js'
import { RandomStream } from '../random.js'
import { readMujoco } from './compile.js'
import { optimisedFile } from './optimised.js'

const ARGUMENTS = ['-O3', '--all-features']
/** Steps of each environment with which the two forms are compared. */
const STEPS = 100
const SEED = 1
/** Purpose of the random stream of the actions. */
const ACTIONS = 78

export interface OptimisedMujoco {
  /** The file that was written. */
  readonly file: string
  /** Bytes of the binary of the package, and of its optimised form. */
  readonly before: number
  readonly after: number
  /** Number of environments whose trajectories were compared. */
  readonly compared: number
}

/**
 * Optimises MuJoCo's WebAssembly binary by Binaryen and keeps the result for later processes (`optimisedFile`), if the
 * environments' trajectories have the same bits with it.
 * @param options.tool program in JavaScript to run in place of Binaryen's wasm-opt
 * @param options.envs ids of the environments to compare; by default one division of each task
 * @throws HatrpoError when Binaryen is not installed, when it fails, and for a result that computes other bits
 */
export async function optimiseMujoco(
  options: { tool?: string; envs?: readonly string[] } = {},
): Promise<OptimisedMujoco> {
  const tool = options.tool ?? findTool()
  const envs = options.envs ?? onePerTask(simulatedEnvs())
  const binary = await readMujoco()
  const file = optimisedFile(binary)
  const [input, output] = [`${file}.source-${process.pid}`, `${file}.new-${process.pid}`]
  makeFolders(dirname(file))
  try {
    writeFileSync(input, binary)
    optimise(tool, input, output)
    const bytes = new Uint8Array(readFileSync(output))
    await expectSameBits(await compile(binary), await compile(bytes), envs)
    renameSync(output, file)
    return { file, before: binary.length, after: bytes.length, compared: envs.length }
  } finally {
    for (const path of [input, output]) rmSync(path, { force: true })
  }
}

/** Path of Binaryen's wasm-opt. */
function findTool(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('binaryen/package.json')), 'bin', 'wasm-opt')
  } catch (cause) {
    throw new HatrpoError('the package binaryen is not installed: npm install --save-dev binaryen', { cause })
  }
}

function optimise(tool: string, input: string, output: string): void {
  const args = [tool, input, ...ARGUMENTS, '-o', output]
  const { status, stderr, error } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status === 0) return
  const reason = error?.message ?? stderr.trim().split('\n')[0]
  throw new HatrpoError(`${tool} failed with exit code ${String(status)}: ${reason}`)
}

async function compile(binary: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(binary)
  } catch (cause) {
    throw new HatrpoError(`the optimised binary cannot be compiled: ${(cause as Error).message}`, { cause })
  }
}

/** Plays the same episodes with both forms. @throws HatrpoError for saved states that differ */
async function expectSameBits(
  module: WebAssembly.Module,
  optimised: WebAssembly.Module,
  envs: readonly string[],
): Promise<void> {
  const contexts = [module, optimised].map((mujoco) => new EnvContext({ mujoco }))
  for (const id of envs) {
    const [expected, found] = await Promise.all(contexts.map((context) => play(id, context)))
    const step = expected.findIndex((state, i) => Buffer.compare(state, found[i]) !== 0)
    if (step >= 0)
      throw new HatrpoError(
        `the optimised binary gives different bits than MuJoCo's (${id}, step ${step + 1}): it was not kept`,
      )
  }
}

/** Saved states after the steps of an environment with random actions. */
async function play(id: string, context: EnvContext): Promise<Uint8Array[]> {
  const env = await makeEnvFactory({ id }).create(context)
  const random = new RandomStream(SEED, ACTIONS)
  const states: Uint8Array[] = []
  let seed = SEED
  env.reset(seed)
  for (let step = 0; step < STEPS; step++) {
    for (const [agent, { action }] of env.spec.agents.entries()) {
      const { low, high } = action as Box
      env.actions[agent].forEach((_, j, out) => {
        out[j] = low[j] + (high[j] - low[j]) * random.uniform()
      })
    }
    const end = env.step()
    states.push(env.saveState!().slice())
    if (end !== 0) env.reset(++seed)
  }
  env.dispose?.()
  return states
}
