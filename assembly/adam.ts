/**
 * One step of Adam (Kingma and Ba 2015) without weight decay, with the roundings of PyTorch's f32 implementation:
 *
 *   m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
 *   parameters -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 *
 * where g = gradScale * gradient; gradScale limits the norm, or is -1 for ascent. parameters, gradient, m and v are
 * f32[n]; all but gradient are updated. beta1Power and beta2Power are beta1^t and beta2^t for step t, counted from 1; the
 * caller keeps them as running f64 products. The update is elementwise: a range of elements gives the bits of the whole.
 */
export function adamStep(
  parameters: usize,
  gradient: usize,
  m: usize,
  v: usize,
  n: i32,
  gradScale: f64,
  lr: f64,
  beta1: f64,
  beta2: f64,
  eps: f64,
  beta1Power: f64,
  beta2Power: f64,
): void {
  const g1 = <f32>gradScale
  const b1 = <f32>beta1
  const c1 = <f32>(1.0 - beta1)
  const b2 = <f32>beta2
  const c2 = <f32>(1.0 - beta2)
  const step = <f32>-(lr / (1.0 - beta1Power))
  const root = <f32>sqrt(1.0 - beta2Power)
  const e = <f32>eps
  const eps4 = f32x4.splat(e)
  const root4 = f32x4.splat(root)
  const step4 = f32x4.splat(step)
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const at = i << 2
    const g = f32x4.mul(v128.load(gradient + at), f32x4.splat(g1))
    const first = f32x4.add(f32x4.mul(v128.load(m + at), f32x4.splat(b1)), f32x4.mul(g, f32x4.splat(c1)))
    const square = f32x4.mul(f32x4.mul(f32x4.splat(c2), g), g)
    const second = f32x4.add(f32x4.mul(v128.load(v + at), f32x4.splat(b2)), square)
    const denominator = f32x4.add(f32x4.div(f32x4.sqrt(second), root4), eps4)
    const change = f32x4.div(f32x4.mul(step4, first), denominator)
    v128.store(m + at, first)
    v128.store(v + at, second)
    v128.store(parameters + at, f32x4.add(v128.load(parameters + at), change))
  }
  for (; i < n; i++) {
    const at = i << 2
    const g = load<f32>(gradient + at) * g1
    const first = load<f32>(m + at) * b1 + g * c1
    const second = load<f32>(v + at) * b2 + c2 * g * g
    const denominator = sqrt<f32>(second) / root + e
    store<f32>(m + at, first)
    store<f32>(v + at, second)
    store<f32>(parameters + at, load<f32>(parameters + at) + (step * first) / denominator)
  }
}
