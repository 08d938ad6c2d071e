import assert from 'node:assert/strict'
import type { Device, Sums } from '../../../src/devices/device.js'
import type { ProgramSpec } from '../../../src/devices/steps.js'
import type { ElementType, HostArray, Tensor } from '../../../src/devices/tensor.js'
import { close } from '../../reference/close.js'
import { U } from '../../reference/dense.js'

/** Device under test. */
export interface Subject {
  readonly device: Device
  /**
   * Agreement of results that the contract requires to be the same, such as those of a row alone and in a batch: 'bits',
   * or 'f32' up to the rounding of another order of operations. 'tf32' is 'f32' with matrix products of factors rounded to
   * 11 bits.
   */
  readonly accuracy: 'bits' | 'f32' | 'tf32'
  /** New array in the memory of rollouts. */
  array(type: ElementType, length: number): HostArray
}

/** Checks of the suite, by name. */
export type Checks = Readonly<Record<string, (device: Device, subject: Subject) => void>>

export const ROWS = 300
/** Row counts: one row, part of a block of rows, several blocks, all rows. */
export const COUNTS = [1, 100, 257, ROWS]

export const f32 = (device: Device, values: ArrayLike<number>): Tensor => {
  const tensor = device.tensor('f32', values.length)
  device.write(tensor, values)
  return tensor
}

export const i32 = (device: Device, values: ArrayLike<number>): Tensor => {
  const tensor = device.tensor('i32', values.length)
  device.write(tensor, values)
  return tensor
}

/**
 * Additional error of an element of a matrix product with TF32 factors, relative to the sum of the sizes of its terms. Both
 * factors are rounded by 2^-11. Tensor cores truncate up to 128 sums by 2^-23 (Fasi et al. 2021), where f32 rounds by 2^-24.
 */
export const factorError = ({ accuracy }: Pick<Subject, 'accuracy'>): number =>
  accuracy === 'tf32' ? 2 ** -10 + 2 ** -22 + 128 * U : 0

/** Runs steps on each row count and passes the count and the sums to `check`. */
export function each(
  device: Device,
  spec: ProgramSpec,
  check: (rows: number, sums: Sums) => void,
  scale = 1,
): void {
  const program = device.compile(spec, ROWS)
  assert.equal(program.maxRows, ROWS)
  for (const rows of COUNTS) check(rows, device.run(program, rows, scale))
}

/** First `rows` rows of a matrix on the device. */
export const head = (device: Device, tensor: Tensor, rows: number, width: number): number[] =>
  Array.from(device.read(tensor).subarray(0, rows * width))

/** Asserts that results required to be the same agree to the accuracy of the subject. */
export function same(
  { accuracy }: Subject,
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  bound: number | ((i: number) => number),
  what: string,
): void {
  close(got, want, bound, what)
  if (accuracy === 'bits') assert.deepEqual(Array.from(got), Array.from(want), what)
}
