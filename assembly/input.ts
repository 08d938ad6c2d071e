// Input stage of rollouts, learner and exported policies: raw observation, one-hot agent id, standardisation.

/** Mean of n entries, ascending in f64. */
function meanOf(row: usize, n: i32): f64 {
  let sum: f64 = 0
  for (let i = 0; i < n; i++) sum += load<f32>(row + ((i as usize) << 2)) as f64
  return sum / (n as f64)
}

/** Sum of the squared distances of n entries from `mean`, ascending in f64. */
function squaresAround(row: usize, n: i32, mean: f64): f64 {
  let squares: f64 = 0
  for (let i = 0; i < n; i++) {
    const d = (load<f32>(row + ((i as usize) << 2)) as f64) - mean
    squares += d * d
  }
  return squares
}

/**
 * out[r] = raw[r] followed by a one-hot agent id, optionally standardised: the mean of the entries is subtracted and the
 * result divided by their population standard deviation, both in f64. A constant vector becomes zeros.
 * @param id index of the agent for all rows, if `ids` is 0
 * @param ids i32 [rows], index of the agent for each row, or 0
 * @param idCount length of the one-hot id, 0 for none
 */
export function inputStage(
  raw: usize,
  size: i32,
  id: i32,
  ids: usize,
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
    const index = ids == 0 ? id : load<i32>(ids + ((r as usize) << 2))
    for (let i = 0; i < size; i++)
      store<f32>(row + ((i as usize) << 2), load<f32>(source + ((i as usize) << 2)))
    for (let i = 0; i < idCount; i++) {
      store<f32>(row + (((size + i) as usize) << 2), i == index ? <f32>1 : <f32>0)
    }
    if (standardise == 0) continue
    const mean = meanOf(row, width)
    const deviation = sqrt<f64>(squaresAround(row, width, mean) / (width as f64))
    for (let i = 0; i < width; i++) {
      const at = row + ((i as usize) << 2)
      const centred = (load<f32>(at) as f64) - mean
      store<f32>(at, deviation > 0 ? ((centred / deviation) as f32) : <f32>0)
    }
  }
}

/**
 * graw = adjoint of `inputStage` at raw applied to g [rows, size + idCount], in f64 and rounded once. With z the
 * standardised vector, graw = (g - mean(g) - z mean(g z)) / deviation, or zeros if the deviation is 0. The means include
 * the entries of the id; the result does not.
 */
export function inputAdjoint(
  raw: usize,
  size: i32,
  id: i32,
  ids: usize,
  idCount: i32,
  standardise: i32,
  g: usize,
  graw: usize,
  from: i32,
  to: i32,
): void {
  const width = size + idCount
  const count = width as f64
  for (let r = from; r < to; r++) {
    const x = raw + (((r * size) as usize) << 2)
    const slope = g + (((r * width) as usize) << 2)
    const out = graw + (((r * size) as usize) << 2)
    if (standardise == 0) {
      memory.copy(out, slope, (size as usize) << 2)
      continue
    }
    const index = ids == 0 ? id : load<i32>(ids + ((r as usize) << 2))
    let sum: f64 = 0
    for (let i = 0; i < width; i++) sum += entry(x, size, index, i)
    const mean = sum / count
    let squares: f64 = 0
    for (let i = 0; i < width; i++) {
      const d = entry(x, size, index, i) - mean
      squares += d * d
    }
    const deviation = sqrt<f64>(squares / count)
    if (!(deviation > 0)) {
      memory.fill(out, 0, (size as usize) << 2)
      continue
    }
    const meanSlope = meanOf(slope, width)
    let along: f64 = 0
    for (let i = 0; i < width; i++) {
      const z = (entry(x, size, index, i) - mean) / deviation
      along += (load<f32>(slope + ((i as usize) << 2)) as f64) * z
    }
    along /= count
    for (let i = 0; i < size; i++) {
      const at = (i as usize) << 2
      const z = (entry(x, size, index, i) - mean) / deviation
      store<f32>(out + at, (((load<f32>(slope + at) as f64) - meanSlope - z * along) / deviation) as f32)
    }
  }
}

/** Entry i of a raw vector extended by the one-hot id. */
function entry(raw: usize, size: i32, index: i32, i: i32): f64 {
  if (i < size) return load<f32>(raw + ((i as usize) << 2)) as f64
  return i - size == index ? 1 : 0
}

/** out = x, rows of n floats. */
export function copyRows(x: usize, out: usize, n: i32, from: i32, to: i32): void {
  const bytes = (n as usize) << 2
  memory.copy(out + (from as usize) * bytes, x + (from as usize) * bytes, ((to - from) as usize) * bytes)
}

/** out[r] = source[index[r]], rows of n elements of `size` bytes. */
export function gatherRows(
  source: usize,
  index: usize,
  n: i32,
  size: i32,
  out: usize,
  from: i32,
  to: i32,
): void {
  const bytes = (n * size) as usize
  for (let r = from; r < to; r++) {
    const row = load<i32>(index + ((r as usize) << 2)) as usize
    memory.copy(out + (r as usize) * bytes, source + row * bytes, bytes)
  }
}

/** out = `count` columns of x, behind `before` others and in front of `after`. */
export function partOfRows(
  x: usize,
  before: i32,
  count: i32,
  after: i32,
  out: usize,
  from: i32,
  to: i32,
): void {
  const bytes = (count as usize) << 2
  const width = before + count + after
  for (let r = from; r < to; r++)
    memory.copy(out + (r as usize) * bytes, x + (((r * width + before) as usize) << 2), bytes)
}

/** `count` columns of out = x, behind `before` others and in front of `after`. */
export function placeInRows(
  x: usize,
  before: i32,
  count: i32,
  after: i32,
  out: usize,
  from: i32,
  to: i32,
): void {
  const bytes = (count as usize) << 2
  const width = before + count + after
  for (let r = from; r < to; r++)
    memory.copy(out + (((r * width + before) as usize) << 2), x + (r as usize) * bytes, bytes)
}
