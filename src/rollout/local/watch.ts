/** A worker's first step may take this long, whatever the patience: its thread is started and loads the environment. */
const START_PATIENCE = 60_000
/** Looks at the workers within one patience. */
const LOOKS = 10

/**
 * Watches the steps that workers count in shared memory while they are at their tasks.
 * A worker whose count stands still is taken to hang: time alone says nothing, a rollout may rightly take hours.
 */
export class PulseWatch {
  readonly #timer: NodeJS.Timeout
  readonly #done: boolean[]

  /**
   * @param pulses i32 [workers], all 0 at the start
   * @param patience milliseconds without a step that are allowed
   * @param onHang told which worker; called once
   */
  constructor(pulses: Int32Array, patience: number, onHang: (worker: number) => void) {
    const interval = patience / LOOKS
    const last = Array.from(pulses, () => 0)
    const still = Array.from(pulses, () => 0)
    this.#done = Array.from(pulses, () => false)
    // Looks are counted, not time: those a stopped or starved process missed are nobody's fault.
    this.#timer = setInterval(() => {
      for (let worker = 0; worker < pulses.length; worker++) {
        const pulse = Atomics.load(pulses, worker)
        still[worker] = pulse === last[worker] ? still[worker] + 1 : 0
        last[worker] = pulse
        const allowed = pulse === 0 ? Math.max(patience, START_PATIENCE) : patience
        if (this.#done[worker] || still[worker] * interval < allowed) continue
        this.stop()
        onHang(worker)
        return
      }
    }, interval)
  }

  /** Says that a worker has answered. */
  answered(worker: number): void {
    this.#done[worker] = true
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
