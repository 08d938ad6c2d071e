// Loss of the critic.

// Huber loss of an error, quadratic up to delta.
function huber(error: f64, delta: f64): f64 {
  const size = abs<f64>(error)
  return size <= delta ? 0.5 * error * error : delta * (size - 0.5 * delta)
}

function huberSlope(error: f64, delta: f64): f64 {
  return min(max(error, -delta), delta)
}

/**
 * Sum over rows of max(huber(target - v), huber(target - clipped)), clipped = old + clamp(v - old, +-clip),
 * and its gradient with respect to v. All in normalised units.
 * @param v f32 [rows], the critic's output
 * @param old f32 [rows], its output at the time of the rollout
 * @param target f32 [rows]
 * @param weight f32 [rows], 1 for valid rows and 0 for others
 * @param clip negative for the plain Huber loss
 * @param delta threshold of the Huber loss
 * @param gv f32 [rows]
 * @param sums f64: sum of losses, sum of weights
 */
export function valueLoss(
  v: usize,
  old: usize,
  target: usize,
  weight: usize,
  clip: f64,
  delta: f64,
  gv: usize,
  sums: usize,
  from: i32,
  to: i32,
): void {
  let total: f64 = 0
  let weights: f64 = 0
  for (let r = from; r < to; r++) {
    const at = (r as usize) << 2
    const w = load<f32>(weight + at) as f64
    const value = load<f32>(v + at) as f64
    const goal = load<f32>(target + at) as f64
    const error = goal - value
    let loss = huber(error, delta)
    let slope = -huberSlope(error, delta)
    if (clip >= 0) {
      const before = load<f32>(old + at) as f64
      const moved = value - before
      const bounded = min(max(moved, -clip), clip)
      const clippedError = goal - (before + bounded)
      const clippedLoss = huber(clippedError, delta)
      if (clippedLoss > loss) {
        loss = clippedLoss
        slope = bounded == moved ? -huberSlope(clippedError, delta) : 0
      }
    }
    total += w * loss
    weights += w
    store<f32>(gv + at, (w * slope) as f32)
  }
  store<f64>(sums, total)
  store<f64>(sums, weights, 8)
}
