// Writes the AssemblyScript that follows from tables in TypeScript, in assembly/generated/: numbers and layouts, the
// function that runs one operation of a program, and the exports of the kernels that operations call.
import { build } from 'esbuild'
import { mkdirSync, writeFileSync } from 'node:fs'

const NOTE = '// Made by scripts/assembly.mjs at each build; not to be edited.\n'

/** Tables by the name of the TypeScript file that holds them. */
async function readTables(root) {
  const contents = `
    export * from './src/kernels/layout.ts'
    export { OPERATIONS } from './src/devices/operations/table.ts'
    export { ACTIVATIONS } from './src/devices/steps.ts'
    export { RUNNING, TERMINATED, TRUNCATED } from './src/envs/contract.ts'`
  const stdin = { contents, resolveDir: root, loader: 'ts' }
  const { outputFiles } = await build({ stdin, bundle: true, format: 'esm', write: false, logLevel: 'error' })
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
}

const screaming = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()

/** Constants of one record; `unit` is the unit of an entry in bytes. */
function constants(prefix, record, type, unit = 1) {
  const entries = Array.isArray(record) ? record.map((name, i) => [name, i]) : Object.entries(record)
  return entries.map(
    ([name, value]) => `export const ${prefix}_${screaming(name)}: ${type} = ${value * unit}\n`,
  )
}

/** Layouts whose offsets are in bytes. */
const BYTE_LAYOUTS = [
  ...['HEADER', 'PHASE', 'CONTROL'],
  ...['POLICY', 'POLICY_LAYER', 'POLICY_RECURRENT', 'POLICY_RECURRENT_LAYER'],
]

function layout(tables) {
  const { RUNNING, TERMINATED, TRUNCATED } = tables
  return [
    NOTE,
    ...BYTE_LAYOUTS.flatMap((name) => constants(name, tables[name], 'usize')),
    // Offsets in bytes into f64 and 32-bit integers.
    ...constants('DEVIATION', tables.DEVIATION, 'usize', 8),
    ...constants('WORLD', tables.WORLD, 'usize', 4),
    ...constants('WORLD_RESULT', tables.WORLD_RESULT, 'i32'),
    ...constants('PHASE_KIND', tables.PHASE_KIND, 'i32'),
    `export const PANEL: i32 = ${tables.PANEL}\n`,
    `export const PANEL_REST: i32 = ${tables.PANEL_REST}\n`,
    ...constants('POLICY_PANEL', tables.POLICY_PANEL, 'i32'),
    ...constants('ACTIVATION', tables.ACTIVATIONS, 'i32'),
    ...constants('TRUNCATION', tables.TRUNCATION_MODES, 'i32'),
    ...constants('EPISODE', { running: RUNNING, terminated: TERMINATED, truncated: TRUNCATED }, 'i32'),
  ].join('')
}

/** Reading of one argument `offset` bytes behind `at`, in the type that kernels take. */
function reading({ kind, missing }, offset) {
  switch (kind) {
    case 'rows':
    case 'tensor':
    case 'panels':
    case 'address':
      return `load<usize>(at, ${offset})`
    case 'real':
      return `load<f64>(at, ${offset})`
    case 'sums':
      return `blockSums + (load<usize>(at, ${offset}) << 3)`
    case 'gradient': {
      const entry = `blockGradient + (load<usize>(at, ${offset}) << 2)`
      return missing === undefined ? entry : `load<i32>(at, ${offset}) < 0 ? <usize>0 : ${entry}`
    }
    default:
      return `load<i32>(at, ${offset})`
  }
}

/** Bytes of an argument. */
const bytesOf = ({ kind }) => (kind === 'real' ? 8 : 4)

function branch([name, { words, calls }], index) {
  let bytes = 0
  const lines = Object.entries(words).map(([word, argument]) => {
    const line = `    const ${word} = ${reading(argument, bytes)}\n`
    bytes += bytesOf(argument)
    return line
  })
  return [
    `  // ${name}\n`,
    `  if (operation == ${index + 1}) {\n`,
    ...lines,
    ...calls.map((call) => `    ${call}\n`),
    `    return at + ${bytes}\n`,
    '  }\n',
  ].join('')
}

/** Kernels by the file that holds them. */
function kernelsByFile(operations) {
  const files = new Map()
  for (const { file, calls } of Object.values(operations)) {
    const kernels = files.get(file) ?? new Set()
    for (const call of calls) kernels.add(call.slice(0, call.indexOf('(')))
    files.set(file, kernels)
  }
  return [...files].map(([file, kernels]) => `{ ${[...kernels].join(', ')} } from '../${file}'\n`)
}

function operations({ OPERATIONS }) {
  return [
    NOTE,
    ...kernelsByFile(OPERATIONS).map((names) => `import ${names}`),
    '\n/** Code behind the last operation. */\nexport const END: i32 = 0\n\n',
    '/**\n * Runs operation `operation`, whose arguments are the words at `at`, on rows from <= r < to.\n',
    " * @param blockGradient address of the block of rows' gradient, `blockSums` of its sums\n",
    ' * @returns address behind the arguments\n */\n',
    'export function runOperation(operation: i32, at: usize, program: usize, blockGradient: usize, blockSums: usize, from: i32, to: i32): usize {\n',
    ...Object.entries(OPERATIONS).map(branch),
    '  unreachable()\n  return at\n}\n',
  ].join('')
}

export async function writeAssembly(root) {
  const tables = await readTables(root)
  const folder = `${root}assembly/generated/`
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}layout.ts`, layout(tables))
  writeFileSync(`${folder}operations.ts`, operations(tables))
  const kernels = kernelsByFile(tables.OPERATIONS).map((names) => `export ${names}`)
  writeFileSync(`${folder}kernels.ts`, [NOTE, ...kernels].join(''))
}
