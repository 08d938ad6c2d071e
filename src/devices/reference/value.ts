/** Loss of a critic on one row, in f64. */

const clamp = (v: number, bound: number) => Math.min(Math.max(v, -bound), bound)

/** e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2) */
export const huber = (error: number, delta: number): number =>
  Math.abs(error) <= delta ? 0.5 * error * error : delta * (Math.abs(error) - 0.5 * delta)

/** max(huber(target - v), huber(target - clipped)) with clipped = old + clamp(v - old, +-clip). */
export function valueLoss(
  v: number,
  old: number,
  target: number,
  clip: number | null,
  delta: number,
): number {
  const loss = huber(target - v, delta)
  if (clip === null) return loss
  return Math.max(loss, huber(target - old - clamp(v - old, clip), delta))
}

/** d valueLoss / d v. */
export function valueLossSlope(
  v: number,
  old: number,
  target: number,
  clip: number | null,
  delta: number,
): number {
  const slope = -clamp(target - v, delta)
  if (clip === null || valueLoss(v, old, target, clip, delta) === huber(target - v, delta)) return slope
  // Outside the range the clipped value is constant; inside it equals v.
  return Math.abs(v - old) > clip ? 0 : slope
}
