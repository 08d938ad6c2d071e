/** Minimum patience for the first step of a worker, in ms. It includes the start of its thread and of the environment. */
const START_PATIENCE = 60_000
/** Number of checks of the workers per patience. */
const LOOKS = 10

/**
 * Watches the step counts of workers in shared memory during their tasks. A worker counts as hanging if its count stops
 * increasing. The duration of a task is not a criterion, because a rollout may take hours.
 */
export class PulseWatch {
  readonly #timer: NodeJS.Timeout
  readonly #done: boolean[]

  /**
   * @param pulses i32 [workers], all 0 at the start
   * @param patience longest time without a step, in milliseconds
   * @param onHang called once, with the index of the worker
   */
  constructor(pulses: Int32Array, patience: number, onHang: (worker: number) => void) {
    const interval = patience / LOOKS
    const last = Array.from(pulses, () => 0)
    const still = Array.from(pulses, () => 0)
    this.#done = Array.from(pulses, () => false)
    // Checks are counted instead of time, because a suspended or starved process also misses its checks.
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

  /** Records that a worker has begun a further task, with its count at 0. */
  began(worker: number): void {
    this.#done[worker] = false
  }

  /** Records that a worker has finished its task. */
  answered(worker: number): void {
    this.#done[worker] = true
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
