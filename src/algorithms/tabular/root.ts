/** Root of an increasing function. */
export interface Bracket {
  /** The function is negative here, or 0 where `above` is the same number. */
  readonly below: number
  /** Here it is 0 or above. */
  readonly above: number
}

const EPSILON = 2.220446049250313e-16
const MAX_STEPS = 200

/**
 * Root of an increasing function by Chandrupatla's method: inverse quadratic interpolation where it is safe, bisection
 * elsewhere. The function may jump over 0.
 *
 * T. R. Chandrupatla, "A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear function without
 * using derivatives", Advances in Engineering Software 28, 1997.
 * @param below,above points where the function is negative, and where it is not
 * @returns a bracket of two numbers that are next to each other or nearly so
 */
export function increasingRoot(f: (x: number) => number, { below, above }: Bracket): Bracket {
  let [a, fa] = [above, f(above)]
  let [b, fb] = [below, f(below)]
  let share = fa / (fa - fb)
  for (let step = 0; step < MAX_STEPS; step++) {
    const best = Math.abs(fa) < Math.abs(fb) ? a : b
    const limit = (2 * EPSILON * Math.abs(best)) / Math.abs(b - a)
    if (!(limit <= 0.5)) break
    const x = a + Math.min(1 - limit, Math.max(limit, share)) * (b - a)
    const fx = f(x)
    if (fx === 0) return { below: x, above: x }
    const sameSide = fx < 0 === fa < 0
    const [c, fc] = sameSide ? [a, fa] : [b, fb]
    if (!sameSide) [b, fb] = [a, fa]
    ;[a, fa] = [x, fx]
    share = shareOfWay(a, fa, b, fb, c, fc)
  }
  return fa < 0 ? { below: a, above: b } : { below: b, above: a }
}

/** Next point between a and b: by the quadratic through all three, or halfway. */
function shareOfWay(a: number, fa: number, b: number, fb: number, c: number, fc: number): number {
  const xi = (a - b) / (c - b)
  const phi = (fa - fb) / (fc - fb)
  if (!(phi * phi < xi && (1 - phi) * (1 - phi) < 1 - xi)) return 0.5
  return (fa / (fb - fa)) * (fc / (fb - fc)) + ((c - a) / (b - a)) * (fa / (fc - fa)) * (fb / (fc - fb))
}
