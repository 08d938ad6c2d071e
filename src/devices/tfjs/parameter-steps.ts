import { SETUP_STEPS as ON_HOST } from '../reference/parameters.js'
import { ReferenceTensor } from '../reference/memory.js'
import type { FinishStep, SetupStep } from '../steps.js'
import type { Tensor } from '../tensor.js'
import { Value } from './memory.js'
import type { PassSteps } from './network-steps.js'
import type { Pass } from './pass.js'
import type { TfTensor } from './tensorflow.js'

/** Steps on parameters, before the pass over the rows. */
export const SETUP_STEPS: PassSteps<SetupStep> = {
  /** Computed on the host in f64: a few numbers per action. */
  gaussianTable(step, pass) {
    const result = new ReferenceTensor('f64', new Float64Array(step.table.length))
    const logStd = new ReferenceTensor('f32', pass.own(step.logStd, 'f32').host)
    ON_HOST.gaussianTable({ ...step, logStd, table: result })
    pass.own(step.table, 'f64').write(new Value(pass.tf, result.values))
  },

  foldTangent({ weight, gamma, beta, dweight, dgamma, dbeta, dbias, outputs, inputs, m, c }, pass) {
    const { tf } = pass
    const [w, dw] = [weight, dweight].map((tensor) =>
      pass.parameters(tensor, outputs * inputs, [outputs, inputs]),
    )
    const [scale, shift, dscale, dshift] = [gamma, beta, dgamma, dbeta].map((tensor) =>
      pass.parameters(tensor, inputs),
    )
    const moved = tf.sum(tf.add(tf.mul(dw, shift), tf.mul(w, dshift)), 1, false)
    write(pass, m, tf.add(tf.mul(dw, scale), tf.mul(w, dscale)))
    write(pass, c, tf.add(moved, pass.parameters(dbias, outputs)))
  },
}

/** Steps on the gradient, after the pass over the rows. */
export const FINISH_STEPS: PassSteps<FinishStep> = {
  unfoldGradient({ weight, gamma, beta, outputs, inputs, gweight, gbias, ggamma, gbeta }, pass) {
    const { tf } = pass
    const [w, products] = [weight, gweight].map((tensor) =>
      pass.parameters(tensor, outputs * inputs, [outputs, inputs]),
    )
    const [scale, shift] = [gamma, beta].map((tensor) => pass.parameters(tensor, inputs, [1, inputs]))
    const total = pass.parameters(gbias, outputs, [outputs, 1])
    const ofWeight = tf.add(tf.mul(products, scale), tf.mul(total, shift))
    const ofScale = tf.sum(tf.mul(w, products), 0, false)
    const ofShift = tf.sum(tf.mul(w, total), 0, false)
    write(pass, gweight, ofWeight)
    write(pass, ggamma, ofScale)
    write(pass, gbeta, ofShift)
  },
}

function write(pass: Pass, tensor: Tensor, values: TfTensor): void {
  const own = pass.own(tensor, 'f32')
  if (own.length !== values.size)
    throw new RangeError(`${own.length} parameters where ${values.size} are expected`)
  own.write(new Value(pass.tf, values))
}
