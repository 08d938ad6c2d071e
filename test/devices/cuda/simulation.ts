/** The device's kernels on the CPU, behind a simulated driver. All other code is the code that runs on a GPU. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadPackage } from '../../../src/devices/packages.js'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const OUT = `${ROOT}dist/cuda/simulated`
const SOURCES = ['src/devices/cuda/kernels', 'test/devices/cuda'].map((path) => `${ROOT}${path}`)

/** Control of the simulated driver. */
export interface Simulation {
  readonly path: string
  /** Sets the result of a function, or a property of the machine. */
  simulate(name: string, value: number): void
  simulateNothing(): void
  countLaunches(): number
  /** Number of calls of a function of the driver. */
  countCalls(name: string): number
  /** Number of unreleased allocations, graphs and contexts. */
  countHeld(): number
}

const COMPILERS = ['g++', 'clang++']
const OPTIONS = ['-std=c++17', '-O1', '-fPIC', '-shared', '-Wall', '-Werror', '-Wno-unknown-pragmas']

/** Additional compiler options of a developer: sanitizers, or another number of threads. */
const OWN = (process.env.CUDA_SIMULATION ?? '-DTHREADS=8').split(' ')

/** scripts/cuda.mjs, which the build does not compile. */
interface BuildScript {
  writeHeaders(folder: string): Promise<string[]>
  buildPtx(folder: string): Promise<string>
}

export const buildScript = async (): Promise<BuildScript> =>
  (await import(`${ROOT}scripts/cuda.mjs`)) as BuildScript

/** Text of a TypeScript file of the device. */
export const source = (name: string): string => readFileSync(`${ROOT}src/devices/cuda/${name}.ts`, 'utf8')

/** Value for `skip` of node:test: false, or the reason if nvcc is missing. */
export const nvccIsMissing = (): false | string =>
  spawnSync('nvcc', ['--version']).status === 0 ? false : 'no nvcc'

/**
 * Compiles the library unless it exists. Returns null without a C++ compiler.
 * @throws Error without a C++ compiler if HATRPO_TEST_HOSTS=required (as in continuous integration)
 */
export async function openSimulation(): Promise<Simulation | null> {
  const path = await buildLibrary()
  if (path === null && process.env.HATRPO_TEST_HOSTS === 'required')
    throw new Error('no C++ compiler: HATRPO_TEST_HOSTS requires it')
  if (path === null) return null
  process.env.CUDA_DRIVER_LIBRARY = path
  // The library contains the kernels, so any existing file is accepted.
  process.env.CUDA_KERNELS = `${SOURCES[0]}/kernels.cu`
  const koffi = loadPackage<{ load(path: string): { func(signature: string): never } }>('koffi')
  const library = koffi.load(path)
  return {
    path,
    simulate: library.func('void simulate(const char *name, int value)'),
    simulateNothing: library.func('void simulateNothing()'),
    countLaunches: library.func('int64_t countLaunches()'),
    countCalls: library.func('int64_t countCalls(const char *name)'),
    countHeld: library.func('int countHeld()'),
  }
}

async function buildLibrary(): Promise<string | null> {
  const compiler = COMPILERS.find((name) => spawnSync(name, ['--version']).status === 0)
  if (compiler === undefined) return null
  const { writeHeaders } = await buildScript()
  const includes = [...(await writeHeaders(`${OUT}/include`)), SOURCES[1]]
  const options = [...OPTIONS, ...OWN, ...includes.flatMap((folder) => ['-I', folder])]
  const hash = createHash('sha256').update([compiler, ...options].join(' '))
  for (const folder of includes)
    for (const file of readdirSync(folder).filter((name) => /\.(h|cu|cpp)$/.test(name)))
      hash.update(readFileSync(`${folder}/${file}`))
  const path = `${OUT}/libcuda-${hash.digest('hex').slice(0, 16)}.so`
  if (existsSync(path)) return path
  mkdirSync(OUT, { recursive: true })
  // Concurrent tests may compile at the same time.
  const own = `${path}.${process.pid}`
  const { status, stderr } = spawnSync(compiler, [...options, `${SOURCES[1]}/driver.cpp`, '-o', own])
  if (status !== 0) throw new Error(`${compiler} failed:\n${String(stderr)}`)
  renameSync(own, path)
  return path
}
