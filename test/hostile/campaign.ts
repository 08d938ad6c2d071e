import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Attack } from './attack.js'
import type { WorkerReport, WorkerTask } from './worker.js'

/** Inputs of one kind. */
export interface Range {
  readonly from: number
  readonly to: number
  /** Milliseconds after which no further input is begun. */
  readonly time: number
}

export interface FoundFault {
  readonly input: number
  readonly fault: string
}

/** Outcomes of the inputs of a kind. */
export interface Tally {
  readonly kind: string
  inputs: number
  refused: number
  harmless: number
  seconds: number
  readonly faults: FoundFault[]
}

/** Milliseconds for an attack to prepare itself. */
const PREPARATION = 120_000
/** Milliseconds between two looks at a thread. */
const LOOK = 200
/** Faults of one kind after which no further inputs are made. */
const ENOUGH = 50

/** Makes inputs of a kind, in threads that are replaced when an input crashes or hangs. */
export async function attackWith(attack: Attack, seed: number, range: Range): Promise<Tally> {
  const tally: Tally = { kind: attack.name, inputs: 0, refused: 0, harmless: 0, seconds: 0, faults: [] }
  const begun = performance.now()
  const end = begun + range.time
  let from = range.from
  while (from < range.to && performance.now() < end && tally.faults.length < ENOUGH) {
    const folder = mkdtempSync(join(tmpdir(), 'hatrpo-hostile-'))
    try {
      from = await oneThread(attack, { kind: attack.name, seed, folder, from, to: range.to }, end, tally)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  tally.seconds = (performance.now() - begun) / 1000
  return tally
}

/** Makes inputs in one thread until they are done, time is over, or one ends the thread. @returns the next input */
async function oneThread(
  { limit }: Attack,
  task: Omit<WorkerTask, 'progress'>,
  end: number,
  tally: Tally,
): Promise<number> {
  const progress = new SharedArrayBuffer(8)
  const flags = new Int32Array(progress)
  flags[0] = -1
  const workerData: WorkerTask = { ...task, progress }
  const worker = new Worker(new URL('worker.js', import.meta.url), { workerData, stderr: true })
  worker.stderr.resume()
  let next = task.from
  let fatal: string | undefined
  worker.on('message', ({ input, outcome, fault }: WorkerReport) => {
    next = input + 1
    tally.inputs++
    if (outcome === 'fault') tally.faults.push({ input, fault: fault! })
    else tally[outcome]++
    if (performance.now() >= end || tally.faults.length >= ENOUGH) Atomics.store(flags, 1, 1)
  })
  worker.on('error', (error: Error) => (fatal = `crash: ${error.message}`))
  let looks = 0
  let present = -1
  // Looks are counted instead of time, because a suspended process also misses its looks.
  const watch = setInterval(() => {
    const now = Atomics.load(flags, 0)
    if (now !== present) [present, looks] = [now, 0]
    const allowed = present < 0 ? PREPARATION : 1000 * limit
    if (++looks * LOOK < allowed) return
    fatal = `hang: no end within ${allowed / 1000} s`
    void worker.terminate()
  }, LOOK)
  await new Promise((resolve) => worker.on('exit', resolve))
  clearInterval(watch)
  if (fatal === undefined) return next
  if (flags[0] < 0) throw new Error(`${task.kind} cannot be prepared: ${fatal}`)
  tally.inputs++
  tally.faults.push({ input: flags[0], fault: fatal })
  return flags[0] + 1
}
