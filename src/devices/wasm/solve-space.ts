import type { Arena } from '../../kernels/index.js'

/** Growing memory for the passes and residuals of the conjugate-gradients kernel. */
export class SolveSpace {
  readonly #arena: Arena
  readonly #reserve: (bytes: number) => number
  #passes: Int32Array = new Int32Array(0)
  #out: Float64Array = new Float64Array(0)

  constructor(arena: Arena, reserve: (bytes: number) => number) {
    this.#arena = arena
    this.#reserve = reserve
  }

  /**
   * @param passes addresses of programs
   * @returns address of the list of passes, and room for the residuals of `iterations` and the curvature; valid until the
   * next call
   */
  of(passes: readonly number[], iterations: number): { list: number; out: Float64Array } {
    if (this.#passes.length < passes.length)
      this.#passes = this.#arena.i32(this.#reserve(4 * passes.length), passes.length)
    if (this.#out.length <= iterations)
      this.#out = this.#arena.f64(this.#reserve(8 * (iterations + 1)), iterations + 1)
    this.#passes.set(passes)
    return { list: this.#passes.byteOffset, out: this.#out }
  }
}
