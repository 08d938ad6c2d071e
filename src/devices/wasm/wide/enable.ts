import { spawn } from 'node:child_process'
import { setFlagsFromString } from 'node:v8'
import { fileURLToPath } from 'node:url'
import { usageError } from '../../../errors.js'
import { chooseKernels } from '../../../kernels/index.js'
import { WORKERS } from '../../../place.js'

/** V8 flag that joins adjacent 128-bit operations of WebAssembly into 256-bit ones. Not every engine has it. */
const FLAG = 'experimental-wasm-revectorize'

/** Exit code of the comparison when a kernel differs. */
const DIFFERENT = 3

let enabled: Promise<void> | undefined

/**
 * Makes the engine compile the kernels to 256-bit vectors from now on, in all threads of the process. Results keep
 * their bits: a separate process first compares every kernel. The setting also affects other modules compiled later.
 * @throws HatrpoError if the engine or processor has no 256-bit vectors, or if a kernel differs
 */
export function enableWideVectors(): Promise<void> {
  enabled ??= checkWideVectors()
    .then((fault) => {
      if (fault !== null)
        throw usageError(
          `simd is "wide": ${fault}; it must be "baseline" here (Node 26 on x86-64 with AVX2 has it)`,
        )
      setFlagsFromString(`--${FLAG}`)
      chooseKernels('kernels-wide')
    })
    .catch((error: unknown) => {
      enabled = undefined
      throw error
    })
  return enabled
}

/**
 * Compares the kernels with and without wide vectors.
 * @param flags further flags of the engine for the comparison
 * @returns reason why they cannot be used, or null
 */
export async function checkWideVectors(flags: readonly string[] = []): Promise<string | null> {
  const engine = engineName()
  if (!engine.startsWith('Node')) return `${engine} has no 256-bit vectors for WebAssembly`
  // Node rejects an unknown flag. The trace is empty if the compiler ignores the flag.
  const options = [`--no-${FLAG}`, '--trace-wasm-revectorize', ...flags]
  const script = fileURLToPath(new URL('check-wide.js', WORKERS))
  const { code, traced, errors } = await runNode([...options, script])
  if (code === 0) return traced ? null : 'the processor or the engine does not make 256-bit vectors'
  if (errors.includes('bad option')) return `${engine} has no 256-bit vectors for WebAssembly`
  if (code === null) return `${engine} stops when it compiles the kernels`
  if (code === DIFFERENT) return `${engine} computes other bits with them in ${errors}`
  throw new Error(`the comparison of kernels failed:\n${errors}`)
}

function engineName(): string {
  const { bun, deno, node } = process.versions
  if (bun !== undefined) return `Bun ${bun}`
  if (deno !== undefined) return `Deno ${deno}`
  return `Node ${node}`
}

interface Outcome {
  /** Exit code, or null after a signal. */
  readonly code: number | null
  /** Whether there was any output. */
  readonly traced: boolean
  readonly errors: string
}

function runNode(args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let [traced, errors] = [false, '']
    child.stdout.on('data', () => (traced = true))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, traced, errors }))
  })
}
