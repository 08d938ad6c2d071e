// The input stage, shared by rollout, learner and exported policies: raw observation -> agent id -> standardisation.

/**
 * out[r] = raw[r] followed by a one-hot agent id, then, if asked, standardised: minus the mean of the vector's own
 * entries, divided by their population standard deviation (both in f64). A constant vector becomes zeros.
 * @param idCount length of the one-hot id, 0 for none
 */
export function inputStage(
  raw: usize,
  size: i32,
  idIndex: i32,
  idCount: i32,
  standardise: i32,
  out: usize,
  from: i32,
  to: i32,
): void {
  const width = size + idCount
  for (let r = from; r < to; r++) {
    const source = raw + (((r * size) as usize) << 2)
    const row = out + (((r * width) as usize) << 2)
    for (let i = 0; i < size; i++)
      store<f32>(row + ((i as usize) << 2), load<f32>(source + ((i as usize) << 2)))
    for (let i = 0; i < idCount; i++) {
      store<f32>(row + (((size + i) as usize) << 2), i == idIndex ? <f32>1 : <f32>0)
    }
    if (standardise == 0) continue
    let sum: f64 = 0
    for (let i = 0; i < width; i++) sum += load<f32>(row + ((i as usize) << 2)) as f64
    const mean = sum / (width as f64)
    let squares: f64 = 0
    for (let i = 0; i < width; i++) {
      const d = (load<f32>(row + ((i as usize) << 2)) as f64) - mean
      squares += d * d
    }
    const deviation = sqrt<f64>(squares / (width as f64))
    for (let i = 0; i < width; i++) {
      const at = row + ((i as usize) << 2)
      const centred = (load<f32>(at) as f64) - mean
      store<f32>(at, deviation > 0 ? ((centred / deviation) as f32) : <f32>0)
    }
  }
}

/** out[r] = source[index[r]], rows of n floats. */
export function gatherRows(source: usize, index: usize, n: i32, out: usize, from: i32, to: i32): void {
  const bytes = (n as usize) << 2
  for (let r = from; r < to; r++) {
    const row = load<i32>(index + ((r as usize) << 2)) as usize
    memory.copy(out + (r as usize) * bytes, source + row * bytes, bytes)
  }
}
