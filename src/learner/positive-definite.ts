/**
 * Inverse of A + shift I for a symmetric positive semidefinite A [n, n], row-major, by Cholesky in f64. A pivot that rounding
 * made smaller than the shift is taken to be the shift, so that the inverse is positive definite whatever A's rounding.
 */
export function shiftedInverse(a: ArrayLike<number>, n: number, shift: number): Float64Array {
  return gramOfInverse(cholesky(a, n, shift), n)
}

/** Lower triangular L with L L' = A + shift I. */
function cholesky(a: ArrayLike<number>, n: number, shift: number): Float64Array {
  const l = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      // The mean of both halves: rounding need not leave A symmetric.
      let sum = (a[i * n + j] + a[j * n + i]) / 2
      for (let k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k]
      if (j < i) l[i * n + j] = sum / l[j * n + j]
      else l[i * n + i] = Math.sqrt(Math.max(sum + shift, shift))
    }
  }
  return l
}

/** (L L')^-1 = X' X with X = L^-1. */
function gramOfInverse(l: Float64Array, n: number): Float64Array {
  // Row j of x is column j of L^-1, which starts at entry j: every inner loop runs along rows.
  const x = new Float64Array(n * n)
  for (let j = 0; j < n; j++) {
    x[j * n + j] = 1 / l[j * n + j]
    for (let i = j + 1; i < n; i++) {
      let sum = 0
      for (let k = j; k < i; k++) sum += l[i * n + k] * x[j * n + k]
      x[j * n + i] = -sum / l[i * n + i]
    }
  }
  const inverse = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0
      for (let k = i; k < n; k++) sum += x[i * n + k] * x[j * n + k]
      inverse[i * n + j] = sum
      inverse[j * n + i] = sum
    }
  }
  return inverse
}
