import assert from 'node:assert/strict'

/** Asserts |got - want| <= bound entry by entry; the bound is a number or one per entry. */
export function close(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  bound: number | ((i: number) => number),
  what: string,
): void {
  assert.equal(got.length, want.length, `${what}: length`)
  for (let i = 0; i < want.length; i++) {
    const limit = typeof bound === 'number' ? bound : bound(i)
    const distance = Math.abs(got[i] - want[i])
    // Written so that a NaN fails.
    if (!(distance <= limit)) {
      assert.fail(`${what}[${i}]: ${got[i]} is ${distance} from ${want[i]}, at most ${limit} allowed`)
    }
  }
}
