/** The messages between a thread and its Python process, little-endian; docs/pettingzoo.md lists them. */

const REQUEST = { load: 0, make: 1, reset: 2, step: 3, replay: 4, close: 5 } as const

export const REPLY = { done: 0, failed: 1, pulse: 2 } as const

/** Further results of a step besides RUNNING, TERMINATED and TRUNCATED: an exception, or a violation of the API. */
export const BROKEN = 3
export const WRONG = 4

/** Content of the first request to Python. */
export interface LoadOptions {
  /** Path of a Python file; empty when `module` is given. */
  readonly file: string
  readonly module: string
  readonly factory: string
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly rewards: 'sum' | 'mean' | 'each'
  /** Steps after which an episode is cut; 0 = never. */
  readonly timeLimit: number
  /** Seconds between signs of life. */
  readonly pulse: number
}

/** An error of Python: one line, whether the user named something that is not there, and the traceback. */
export interface PythonFailure {
  readonly message: string
  readonly usage: boolean
  readonly trace: string
}

/** One environment's actions of one step, as Python takes them. */
export interface SlotActions {
  readonly slot: number
  readonly actions: Float64Array
}

export function loadRequest(options: LoadOptions): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(options))
  const bytes = new Uint8Array(1 + text.length)
  bytes[0] = REQUEST.load
  bytes.set(text, 1)
  return bytes
}

export function makeRequest(slot: number): Uint8Array {
  return words(REQUEST.make, slot)
}

export function resetRequest(slot: number, seed: number): Uint8Array {
  return words(REQUEST.reset, slot, seed)
}

export function closeRequest(slot: number): Uint8Array {
  return words(REQUEST.close, slot)
}

/** One step of several environments. */
export function stepRequest(batch: readonly SlotActions[]): Uint8Array {
  const length = batch.reduce((sum, { actions }) => sum + 4 + 8 * actions.length, 5)
  const view = new DataView(new ArrayBuffer(length))
  view.setUint8(0, REQUEST.step)
  view.setUint32(1, batch.length, true)
  let at = 5
  for (const { slot, actions } of batch) {
    view.setUint32(at, slot, true)
    at = writeNumbers(view, at + 4, actions)
  }
  return new Uint8Array(view.buffer)
}

/**
 * A reset and the steps after it. @param actionsOf returns the actions of a step in an array that the next call may
 * overwrite
 */
export function replayRequest(
  slot: number,
  seed: number,
  steps: number,
  size: number,
  actionsOf: (step: number) => Float64Array,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(13 + 8 * steps * size))
  view.setUint8(0, REQUEST.replay)
  for (const [i, word] of [slot, seed, steps].entries()) view.setUint32(1 + 4 * i, word, true)
  let at = 13
  for (let step = 0; step < steps; step++) at = writeNumbers(view, at, actionsOf(step))
  return new Uint8Array(view.buffer)
}

/** Python's answer about one environment: its status and views, or its error. */
export type StepResult =
  | { readonly status: number; readonly views: Uint8Array }
  | { readonly status: typeof BROKEN | typeof WRONG; readonly failure: PythonFailure }

/**
 * Reads the results of several environments.
 * @param size bytes of an environment's views
 */
export function readResults(bytes: Uint8Array, count: number, size: number): StepResult[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const results: StepResult[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    const status = view.getUint8(at++)
    if (status === BROKEN || status === WRONG) {
      const length = view.getUint32(at, true)
      results.push({ status, failure: readFailure(bytes.subarray(at + 4, at + 4 + length)) })
      at += 4 + length
    } else {
      results.push({ status, views: bytes.subarray(at, at + size) })
      at += size
    }
  }
  if (at !== bytes.length)
    throw new Error(`Python answered with ${bytes.length} bytes where ${at} were expected`)
  return results
}

export function readFailure(bytes: Uint8Array): PythonFailure {
  return readJson(bytes) as PythonFailure
}

export function readJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes))
}

function words(kind: number, ...values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(1 + 4 * values.length))
  view.setUint8(0, kind)
  values.forEach((value, i) => view.setUint32(1 + 4 * i, value, true))
  return new Uint8Array(view.buffer)
}

function writeNumbers(view: DataView, at: number, numbers: Float64Array): number {
  for (let i = 0; i < numbers.length; i++) view.setFloat64(at + 8 * i, numbers[i], true)
  return at + 8 * numbers.length
}
