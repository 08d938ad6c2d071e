import type { z } from 'zod'
import type { ClippedOptions } from '../../src/learner/clipped.js'
import type { CriticOptions } from '../../src/learner/critic.js'
import type { TrustRegionOptions } from '../../src/learner/trust-region.js'
import type { clippedKeys, criticKeys, trustRegionKeys } from './keys.js'

type Parsed<Keys extends z.ZodRawShape> = z.infer<z.ZodObject<Keys>>

/** Greatest number of products that HARL's conjugate gradients take. */
export const CG_ITERATIONS = 10

/** Constants of HARL's code: damping 0.1, at most 10 CG iterations until r'r < 1e-10, and the KL of all rows. */
export function trustRegionOptions(keys: Parsed<typeof trustRegionKeys>): TrustRegionOptions {
  return {
    damping: 0.1,
    cgIterations: CG_ITERATIONS,
    cgTolerance: 1e-10,
    lineSearchSteps: keys.ls_step,
    backtrack: keys.backtrack_coeff,
    acceptRatio: keys.accept_ratio,
    klRows: 'all',
  }
}

export function clippedOptions(keys: Parsed<typeof clippedKeys>): ClippedOptions {
  return { clip: keys.clip_param, entropyCoef: keys.entropy_coef, maxGradNorm: maxGradNorm(keys) }
}

export function criticOptions(keys: Parsed<typeof criticKeys>): CriticOptions {
  return {
    clip: keys.use_clipped_value_loss ? keys.clip_param : null,
    huberDelta: keys.use_huber_loss ? keys.huber_delta : Infinity,
    lossCoef: keys.value_loss_coef,
    maxGradNorm: maxGradNorm(keys),
  }
}

/** Note for files in which inactive rows make the two differ. */
export const KL_NOTE = "KL averaged over all rows, inactive ones too, as HARL does (klRows: 'all')"

function maxGradNorm(keys: { use_max_grad_norm: boolean; max_grad_norm: number }): number | null {
  return keys.use_max_grad_norm ? keys.max_grad_norm : null
}
