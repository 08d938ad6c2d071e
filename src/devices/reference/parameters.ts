/** Steps on parameters, before and after the pass over the rows. Arithmetic is f64; results are rounded to f32 once. */
import type { FinishStep, SetupStep } from '../steps.js'
import { tableRow } from './gaussian.js'
import { vectors } from './memory.js'
import { tableOf } from './head-steps.js'
import { vector } from './row.js'

type StepOf<Step extends { op: string }, Op> = Extract<Step, { op: Op }>

export const SETUP_STEPS: { readonly [Op in SetupStep['op']]: (step: StepOf<SetupStep, Op>) => void } = {
  /** sigma = y sigmoid(log_std / x) and the numbers derived from it, f64 [size, 4]. */
  gaussianTable({ logStd, x, y, table, size }) {
    const rows = Array.from(vectors(logStd)[0], (v) => tableRow(v, x, y))
    tableOf(table, size).set(rows.flat())
  },

  foldTangent({ weight, gamma, beta, dweight, dgamma, dbeta, dbias, outputs, inputs, m, c }) {
    const [w, dw, to] = [weight, dweight, m].map((tensor) => vector(tensor, outputs * inputs))
    const [scale, shift, dscale, dshift] = [gamma, beta, dgamma, dbeta].map((tensor) =>
      vector(tensor, inputs),
    )
    const [bias, constant] = [dbias, c].map((tensor) => vector(tensor, outputs))
    for (let o = 0; o < outputs; o++) {
      let sum = 0
      for (let j = 0; j < inputs; j++) {
        const i = o * inputs + j
        to[i] = dw[i] * scale[j] + w[i] * dscale[j]
        sum += dw[i] * shift[j] + w[i] * dshift[j]
      }
      constant[o] = sum + bias[o]
    }
  },
}

export const FINISH_STEPS: { readonly [Op in FinishStep['op']]: (step: StepOf<FinishStep, Op>) => void } = {
  unfoldGradient({ weight, gamma, beta, outputs, inputs, gweight, gbias, ggamma, gbeta }) {
    const [w, gw] = [weight, gweight].map((tensor) => vector(tensor, outputs * inputs))
    const [scale, shift, gscale, gshift] = [gamma, beta, ggamma, gbeta].map((tensor) =>
      vector(tensor, inputs),
    )
    const s = vector(gbias, outputs)
    for (let j = 0; j < inputs; j++) {
      let [bySum, byTotal] = [0, 0]
      for (let o = 0; o < outputs; o++) {
        const i = o * inputs + j
        bySum += w[i] * gw[i]
        byTotal += w[i] * s[o]
        gw[i] = gw[i] * scale[j] + s[o] * shift[j]
      }
      gscale[j] = bySum
      gshift[j] = byTotal
    }
  },
}
