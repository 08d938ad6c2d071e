/** Longest text of a phase, in bytes of UTF-8. */
const LONGEST = 200

/** What the telling thread and the thread that it tells of share. */
export interface Telling {
  /**
   * i32 [4]: not 0 when the telling is to end, bytes of the phase's text, milliseconds at which the phase began, number of
   * the phase.
   */
  readonly flags: SharedArrayBuffer
  /** Text of the phase, UTF-8. */
  readonly text: SharedArrayBuffer
  /** Milliseconds of a phase after which a line is written, and again another. */
  readonly patience: number
  /** Written before a line. */
  readonly prefix: string
  /** Descriptor of the file to write to. */
  readonly fd: number
}

const [STOPPED, LENGTH, BEGAN, PHASE] = [0, 1, 2, 3]

export function newTelling(options: Pick<Telling, 'patience' | 'prefix' | 'fd'>): Telling {
  return { ...options, flags: new SharedArrayBuffer(16), text: new SharedArrayBuffer(LONGEST) }
}

/** Milliseconds by a clock that all threads have in common. */
function now(): number {
  return Number(process.hrtime.bigint() / 1_000_000n) | 0
}

/** A phase begins. */
export function beginPhase({ flags, text }: Telling, phase: string): void {
  const shared = new Int32Array(flags)
  const bytes = new TextEncoder().encode(phase).subarray(0, LONGEST)
  Atomics.add(shared, PHASE, 1)
  new Uint8Array(text).set(bytes)
  Atomics.store(shared, LENGTH, bytes.length)
  Atomics.store(shared, BEGAN, now())
}

/** Ends the telling. */
export function stopTelling({ flags }: Telling): void {
  const shared = new Int32Array(flags)
  Atomics.store(shared, STOPPED, 1)
  Atomics.notify(shared, STOPPED)
}

/** Writes a line whenever a phase lasts long. Blocks the thread. */
export function tellUntilStopped({ flags, text, patience, prefix, fd }: Telling): void {
  const { writeSync } = process.getBuiltinModule('node:fs')
  const shared = new Int32Array(flags)
  let told = now()
  while (Atomics.wait(shared, STOPPED, 0, patience / 10) === 'timed-out') {
    const [length, began, phase] = [LENGTH, BEGAN, PHASE].map((at) => Atomics.load(shared, at))
    const time = now()
    if (length === 0 || time - began < patience || time - told < patience) continue
    const words = new TextDecoder().decode(new Uint8Array(text).slice(0, length))
    // Another phase may have begun meanwhile.
    if (Atomics.load(shared, PHASE) !== phase) continue
    told = time
    try {
      writeSync(fd, `${prefix}${words}, for ${Math.floor((time - began) / 1000)} s so far\n`)
    } catch {
      // Nobody reads it any more, or not just now.
    }
  }
}
