// Builds the kernels of the CUDA device. `npm run build:cuda` compiles them to PTX, for which it needs nvcc 12 or newer;
// `npm run build:cuda -- sm_90` assembles that for one architecture, too, for CUDA_KERNELS.
// Headers that follow from tables in TypeScript are written first: the arguments of each operation, and the function that
// runs one.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const NOTE = '// Made by scripts/cuda.mjs; not to be edited.\n#pragma once\n'
const SOURCES = 'src/devices/cuda/kernels'

/** Oldest architecture that the kernels run on; drivers compile them for newer ones. */
const ARCHITECTURE = 'compute_80'
/**
 * Version of the PTX language, which decides on the oldest driver: 7.4 is CUDA 11.4, the first with all functions that the
 * device calls. nvcc writes its own version; the kernels use nothing newer, which `ptxas` confirms.
 */
const PTX_VERSION = '7.4'

/** Tables by the name of the TypeScript file that holds them. */
async function readTables() {
  const contents = `
    export { OPERATIONS } from './src/devices/operations/table.ts'
    export { ACTIVATIONS } from './src/devices/steps.ts'
    export { TRUNCATION_MODES } from './src/kernels/layout.ts'
    export { BLOCKS } from './src/devices/cuda/layout.ts'
    export { isTask, parametersOf } from './src/devices/cuda/operations.ts'
    export { TERMINATED, TRUNCATED } from './src/envs/contract.ts'`
  const stdin = { contents, resolveDir: root, loader: 'ts' }
  const { outputFiles } = await build({ stdin, bundle: true, format: 'esm', write: false, logLevel: 'error' })
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
}

const screaming = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
const pascal = (name) => name[0].toUpperCase() + name.slice(1)

/** C++ types of tensors. An argument with several types has the last, narrowest one. */
const TYPES = { f32: 'float', f64: 'double', i32: 'int', u8: 'unsigned char' }

/** Member of the structure of an operation's arguments, each of 8 bytes. */
function member({ name, kind, type }) {
  if (kind === 'pointer') return `  ${TYPES[type]}* ${name};`
  return `  ${kind === 'real' ? 'double' : 'i64'} ${name};`
}

/** Arguments of all operations, and constants. */
function operationsHeader({ OPERATIONS, ACTIVATIONS, TRUNCATION_MODES, BLOCKS, parametersOf, ...ends }) {
  const constants = [
    ...ACTIVATIONS.map((name, i) => [`ACTIVATION_${screaming(name)}`, i]),
    ...TRUNCATION_MODES.map((name, i) => [`TRUNCATION_${screaming(name)}`, i]),
    ['TERMINATED', ends.TERMINATED],
    ['TRUNCATED', ends.TRUNCATED],
    ['SOLVE_BLOCKS', BLOCKS.solve],
  ].map(([name, value]) => `constexpr int ${name} = ${value};\n`)
  const structs = Object.keys(OPERATIONS).map(
    (name) => `\nstruct ${pascal(name)} {\n${parametersOf(name).map(member).join('\n')}\n};\n`,
  )
  return [NOTE, '#include "platform.h"\n\n', ...constants, ...structs].join('')
}

/** Functions that run one operation on the rows of a pass, and one on parameters. */
function dispatchHeader({ OPERATIONS, isTask }) {
  const branch = (rest) => (name) => {
    const code = Object.keys(OPERATIONS).indexOf(name) + 1
    return `    case ${code}:\n      return ${name}(*(const ${pascal(name)}*)words${rest});\n`
  }
  const internal = ['packTransposed', 'packPlain', 'clear', 'reduce']
  const names = Object.keys(OPERATIONS).filter((name) => !internal.includes(name))
  const run = (head, branches) => `\n${head} {\n  switch (code) {\n${branches.join('')}  }\n}\n`
  return [
    NOTE,
    run(
      'INLINE void runStep(i64 code, const i64* words, const Pass& pass)',
      names.filter((name) => !isTask(name)).map(branch(', pass')),
    ),
    run('INLINE void runTask(i64 code, const i64* words)', names.filter(isTask).map(branch(''))),
  ].join('')
}

/** Writes the headers. Result: the folders that the kernels include files from. */
export async function writeHeaders(folder) {
  const tables = await readTables()
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}/operations.h`, operationsHeader(tables))
  writeFileSync(`${folder}/dispatch.h`, dispatchHeader(tables))
  return [`${root}${SOURCES}`, folder]
}

export const KERNELS = `${root}${SOURCES}/kernels.cu`

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' })
  if (error?.code === 'ENOENT')
    throw new Error(`build:cuda needs ${command} of the CUDA toolkit, version 12 or newer`)
  if (status !== 0) throw new Error(`${command} failed`)
}

/** Compiles the kernels to PTX. @param out folder that receives kernels.ptx @returns its path */
export async function buildPtx(out) {
  const includes = await writeHeaders(`${out}/include`)
  const file = `${out}/kernels.ptx`
  const options = [
    '-ptx',
    `-arch=${ARCHITECTURE}`,
    '-std=c++17',
    '-O3',
    ...includes.flatMap((path) => ['-I', path]),
  ]
  run('nvcc', [...options, KERNELS, '-o', file])
  const text = readFileSync(file, 'utf8').replace(/^\.version .*$/m, `.version ${PTX_VERSION}`)
  const lines = text.split('\n').map((line) => line.replace(/\/\/.*$/, '').trim())
  writeFileSync(file, `${lines.filter(Boolean).join('\n')}\n`)
  return file
}

/** The file as the package has it: Brotli's window is larger than that of a tarball's gzip, and the kernels repeat themselves. */
function compress(file) {
  const contents = readFileSync(file)
  const params = { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: contents.length }
  writeFileSync(`${file}.br`, brotliCompressSync(contents, { params }))
  rmSync(file)
}

/** Assembles PTX for one architecture. Result: the path of the cubin. */
function assemble(file, architecture) {
  const cubin = `${root}dist/cuda/kernels.${architecture}.cubin`
  run('ptxas', [`-arch=${architecture}`, '-O3', file, '-o', cubin])
  return cubin
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    const architectures = process.argv.slice(2)
    const unknown = architectures.find((name) => !/^sm_\d+[a-z]?$/.test(name))
    if (unknown !== undefined)
      throw new Error(`build:cuda: ${unknown} is no architecture: it must be one of ptxas, such as sm_90`)
    const file = await buildPtx(`${root}dist/cuda`)
    // An assembler refuses what the stated version of the language does not have.
    run('ptxas', ['-arch=sm_80', '-O0', file, '-o', `${root}dist/cuda/kernels.cubin`])
    rmSync(`${root}dist/cuda/kernels.cubin`)
    for (const architecture of architectures) {
      const cubin = assemble(file, architecture)
      console.log(`${relative('.', cubin)}: ${statSync(cubin).size} bytes`)
    }
    compress(file)
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
