import type { AdamOptions } from '../device.js'

/**
 * m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2,
 * theta -= lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps), with g = gradScale gradient
 */
export function adamStep(
  theta: Float32Array,
  gradient: ArrayLike<number>,
  m: Float32Array,
  v: Float32Array,
  { lr, beta1, beta2, eps, power1, power2, gradScale }: AdamOptions,
): void {
  for (let i = 0; i < theta.length; i++) {
    const g = gradScale * gradient[i]
    m[i] = beta1 * m[i] + (1 - beta1) * g
    v[i] = beta2 * v[i] + (1 - beta2) * g * g
    theta[i] -= ((lr / (1 - power1)) * m[i]) / (Math.sqrt(v[i]) / Math.sqrt(1 - power2) + eps)
  }
}
