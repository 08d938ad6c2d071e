import type { Activation } from '../steps.js'

const SELU_ALPHA = 1.6732632423543772
const SELU_SCALE = 1.0507009873554805
const LEAKY_SLOPE = 0.01

/**
 * erf(x) = 2 / sqrt(pi) int_0^x exp(-t^2) dt, accurate to about 1e-15: power series below 2.5, continued fraction of the
 * complement above (Abramowitz & Stegun, 7.1.6 and 7.1.14).
 */
export function erf(x: number): number {
  const t = Math.abs(x)
  if (Number.isNaN(x)) return NaN
  if (t > 6) return Math.sign(x)
  return Math.sign(x) * (t < 2.5 ? erfSeries(t) : 1 - erfcFraction(t))
}

function erfSeries(t: number): number {
  let term = t
  let sum = t
  for (let n = 1; Math.abs(term) > 1e-18 * sum; n++) {
    term *= (2 * t * t) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-t * t) * sum
}

function erfcFraction(t: number): number {
  let fraction = t
  for (let k = 60; k >= 1; k--) fraction = t + k / 2 / fraction
  return Math.exp(-t * t) / Math.sqrt(Math.PI) / fraction
}

export const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z))

/** Distribution function and density of a standard normal number. */
const normalCdf = (z: number) => 0.5 * (1 + erf(z / Math.SQRT2))
const normalDensity = (z: number) => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)

/** f(z). */
export const ACTIVATE: Readonly<Record<Activation, (z: number) => number>> = {
  relu: (z) => Math.max(z, 0),
  tanh: Math.tanh,
  elu: (z) => (z > 0 ? z : Math.expm1(z)),
  gelu: (z) => z * normalCdf(z),
  silu: (z) => z * sigmoid(z),
  leakyRelu: (z) => (z > 0 ? z : LEAKY_SLOPE * z),
  selu: (z) => SELU_SCALE * (z > 0 ? z : SELU_ALPHA * Math.expm1(z)),
  sigmoid,
}

/** f'(z). At a kink, the derivative from the left, as in torch. */
export const DERIVATIVE: Readonly<Record<Activation, (z: number) => number>> = {
  relu: (z) => (z > 0 ? 1 : 0),
  tanh: (z) => 1 - Math.tanh(z) * Math.tanh(z),
  elu: (z) => (z > 0 ? 1 : Math.exp(z)),
  gelu: (z) => normalCdf(z) + z * normalDensity(z),
  silu: (z) => sigmoid(z) * (1 + z * (1 - sigmoid(z))),
  leakyRelu: (z) => (z > 0 ? 1 : LEAKY_SLOPE),
  selu: (z) => SELU_SCALE * (z > 0 ? 1 : SELU_ALPHA * Math.exp(z)),
  sigmoid: (z) => sigmoid(z) * (1 - sigmoid(z)),
}
