/** Longest text of a phase, in bytes of UTF-8. */
const LONGEST = 200

/** State shared by the reporting thread and the thread that it reports on. */
export interface Telling {
  /**
   * i32 [4]: nonzero to end the reports; length of the phase's text in bytes; start of the phase in milliseconds;
   * number of changes of these and of the text, odd during a change.
   */
  readonly flags: SharedArrayBuffer
  /** Text of the phase, UTF-8. */
  readonly text: SharedArrayBuffer
  /** Milliseconds of a phase after which a line is written. */
  readonly first: number
  /** Milliseconds after a line until the next one. */
  readonly every: number
  /** Written before a line. */
  readonly prefix: string
  /** Descriptor of the file to write to. */
  readonly fd: number
}

const [STOPPED, LENGTH, BEGAN, CHANGES] = [0, 1, 2, 3]

export function newTelling(options: Pick<Telling, 'first' | 'every' | 'prefix' | 'fd'>): Telling {
  return { ...options, flags: new SharedArrayBuffer(16), text: new SharedArrayBuffer(LONGEST) }
}

/** Milliseconds by a clock that all threads have in common. */
function now(): number {
  return Number(process.hrtime.bigint() / 1_000_000n) | 0
}

/** A phase begins. */
export function beginPhase(telling: Telling, phase: string): void {
  change(telling, phase, now())
}

/** The phase that has begun is called otherwise from now on. */
export function renamePhase(telling: Telling, phase: string): void {
  change(telling, phase, Atomics.load(new Int32Array(telling.flags), BEGAN))
}

function change({ flags, text }: Telling, phase: string, began: number): void {
  const shared = new Int32Array(flags)
  const bytes = new TextEncoder().encode(phase).subarray(0, LONGEST)
  Atomics.add(shared, CHANGES, 1)
  new Uint8Array(text).set(bytes)
  Atomics.store(shared, LENGTH, bytes.length)
  Atomics.store(shared, BEGAN, began)
  Atomics.add(shared, CHANGES, 1)
}

/** Ends the reports. */
export function stopTelling({ flags }: Telling): void {
  const shared = new Int32Array(flags)
  Atomics.store(shared, STOPPED, 1)
  Atomics.notify(shared, STOPPED)
}

/** Writes a line whenever a phase lasts long. Blocks the thread. */
export function tellUntilStopped({ flags, text, first, every, prefix, fd }: Telling): void {
  const { writeSync } = process.getBuiltinModule('node:fs')
  const shared = new Int32Array(flags)
  let told = (now() - every) | 0
  while (Atomics.wait(shared, STOPPED, 0, Math.min(first, every) / 10) === 'timed-out') {
    const [changes, length, began] = [CHANGES, LENGTH, BEGAN].map((at) => Atomics.load(shared, at))
    const time = now()
    if (length === 0 || time - began < first || time - told < every) continue
    const words = new TextDecoder().decode(new Uint8Array(text).slice(0, length))
    // Part of it may be of another phase.
    if (changes % 2 === 1 || Atomics.load(shared, CHANGES) !== changes) continue
    told = time
    try {
      writeSync(fd, `${prefix}${words}, for ${Math.floor((time - began) / 1000)} s so far\n`)
    } catch {
      // Nobody reads it any more, or not just now.
    }
  }
}
