// Orthogonal matrices for the initialisation of networks: QR decomposition by Householder reflections, in f64.
//
// Every sum over rows is in ascending order. Columns do not depend on each other, so that several are computed at once.

/** Bytes of scratch memory that `orthogonal` needs: two matrices, a reflection's vector, and a number and a sign per column. */
export function orthogonalBytes(rows: i32, cols: i32): usize {
  const tall = <usize>max(rows, cols)
  const thin = <usize>min(rows, cols)
  return (2 * tall * thin + tall + 2 * thin) << 3
}

/**
 * A matrix with orthonormal rows or columns, whichever are fewer, times `gain`: the Q of a matrix' QR decomposition whose R
 * has a positive diagonal.
 * @param noise f32[tall, thin], with tall = max(rows, cols) and thin = min(rows, cols)
 * @param out f32[rows, cols]
 * @param scratch f64, of `orthogonalBytes(rows, cols)` bytes
 */
export function orthogonal(noise: usize, rows: i32, cols: i32, gain: f64, out: usize, scratch: usize): void {
  const tall = max(rows, cols)
  const thin = min(rows, cols)
  const size = tall * thin
  // a becomes R above the diagonal and the vectors of the reflections below and on it.
  const a = scratch
  const q = a + ((<usize>size) << 3)
  const v = q + ((<usize>size) << 3)
  const betas = v + ((<usize>tall) << 3)
  const signs = betas + ((<usize>thin) << 3)
  for (let i = 0; i < size; i++) store<f64>(a + ((<usize>i) << 3), load<f32>(noise + ((<usize>i) << 2)))
  for (let j = 0; j < thin; j++) {
    const length = tall - j
    const diagonal = a + ((<usize>(j * thin + j)) << 3)
    copyColumn(diagonal, thin, v, length)
    const norm = sqrt(squares(v, length))
    const head = load<f64>(v)
    const alpha = head > 0 ? -norm : norm
    store<f64>(signs + ((<usize>j) << 3), alpha > 0 ? 1 : -1)
    store<f64>(v, head - alpha)
    store<f64>(diagonal, head - alpha)
    const squared = squares(v, length)
    const beta = squared > 0 ? 2 / squared : 0
    store<f64>(betas + ((<usize>j) << 3), beta)
    reflect(v, length, beta, diagonal + 8, thin, thin - j - 1)
  }
  // Q = H_0 H_1 ... applied to the first columns of the identity, each column with the sign of R's diagonal. H_j does
  // not change the columns before j.
  memory.fill(q, 0, (<usize>size) << 3)
  for (let k = 0; k < thin; k++)
    store<f64>(q + ((<usize>(k * thin + k)) << 3), load<f64>(signs + ((<usize>k) << 3)))
  for (let j = thin - 1; j >= 0; j--) {
    const diagonal = (<usize>(j * thin + j)) << 3
    copyColumn(a + diagonal, thin, v, tall - j)
    reflect(v, tall - j, load<f64>(betas + ((<usize>j) << 3)), q + diagonal, thin, thin - j)
  }
  write(q, rows, cols, gain, out)
}

/** The first `n` entries of a column of a matrix [., width], to v. */
function copyColumn(column: usize, width: i32, v: usize, n: i32): void {
  for (let i = 0; i < n; i++)
    store<f64>(v + ((<usize>i) << 3), load<f64>(column + ((<usize>(i * width)) << 3)))
}

function squares(v: usize, n: i32): f64 {
  let sum: f64 = 0
  for (let i = 0; i < n; i++) {
    const x = load<f64>(v + ((<usize>i) << 3))
    sum += x * x
  }
  return sum
}

/**
 * Applies the reflection I - beta v v' to `columns` columns of n rows of a matrix [., width].
 * @param target address of the first entry
 */
function reflect(v: usize, n: i32, beta: f64, target: usize, width: i32, columns: i32): void {
  const stride = (<usize>width) << 3
  const end = v + ((<usize>n) << 3)
  let k = 0
  for (; k + 8 <= columns; k += 8) {
    const first = target + ((<usize>k) << 3)
    let s0 = f64x2.splat(0)
    let s1 = f64x2.splat(0)
    let s2 = f64x2.splat(0)
    let s3 = f64x2.splat(0)
    for (let at = v, row = first; at < end; at += 8, row += stride) {
      const x = v128.load64_splat(at)
      s0 = f64x2.add(s0, f64x2.mul(x, v128.load(row)))
      s1 = f64x2.add(s1, f64x2.mul(x, v128.load(row, 16)))
      s2 = f64x2.add(s2, f64x2.mul(x, v128.load(row, 32)))
      s3 = f64x2.add(s3, f64x2.mul(x, v128.load(row, 48)))
    }
    const factor = f64x2.splat(beta)
    s0 = f64x2.mul(s0, factor)
    s1 = f64x2.mul(s1, factor)
    s2 = f64x2.mul(s2, factor)
    s3 = f64x2.mul(s3, factor)
    for (let at = v, row = first; at < end; at += 8, row += stride) {
      const x = v128.load64_splat(at)
      v128.store(row, f64x2.sub(v128.load(row), f64x2.mul(s0, x)))
      v128.store(row, f64x2.sub(v128.load(row, 16), f64x2.mul(s1, x)), 16)
      v128.store(row, f64x2.sub(v128.load(row, 32), f64x2.mul(s2, x)), 32)
      v128.store(row, f64x2.sub(v128.load(row, 48), f64x2.mul(s3, x)), 48)
    }
  }
  for (; k < columns; k++) {
    const first = target + ((<usize>k) << 3)
    let sum: f64 = 0
    for (let at = v, row = first; at < end; at += 8, row += stride) sum += load<f64>(at) * load<f64>(row)
    sum *= beta
    for (let at = v, row = first; at < end; at += 8, row += stride)
      store<f64>(row, load<f64>(row) - sum * load<f64>(at))
  }
}

/** The first entries of q [tall, thin] times `gain`, transposed where the result [rows, cols] is wide. */
function write(q: usize, rows: i32, cols: i32, gain: f64, out: usize): void {
  const down = rows >= cols ? cols : 1
  const across = rows >= cols ? 1 : rows
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      const value = gain * load<f64>(q + ((<usize>(r * down + c * across)) << 3))
      store<f32>(out + ((<usize>(r * cols + c)) << 2), <f32>value)
    }
  }
}
