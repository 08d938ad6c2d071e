import { HatrpoError } from '../errors.js'

export interface EvaluateOptions {
  readonly source: string
  readonly episodes: number
  readonly seed: number
  readonly workers?: number
}

export interface EvaluateResult {
  readonly source: string
  readonly env: string
  readonly episodes: number
  readonly returns: readonly number[]
  readonly mean: number
  readonly sd: number
}

export function evaluate(_options: EvaluateOptions): Promise<EvaluateResult> {
  return Promise.reject(new HatrpoError('evaluation is not part of this build'))
}
