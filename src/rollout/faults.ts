import { HatrpoError } from '../errors.js'

/** Number of resets of one environment in a rollout, or of one episode, after which a fault counts as permanent. */
export const MAX_RESETS = 3

/** A step that broke and does not count; its environment was reset. */
export interface Fault {
  readonly env: number
  /** Step of the environment since training began. */
  readonly step: number
  /** One line: the number that was not finite or the error that was thrown, and whose. */
  readonly reason: string
  /** Its origin, in several lines. */
  readonly detail?: string
}

/** Fault of the run itself, in one line; doing the task again would not help. */
export interface Failure {
  readonly failure: string
  /** Whether the configuration or the environment is at fault: exit code 2. */
  readonly usage: boolean
  /** Its origin, in several lines. */
  readonly detail?: string
}

/** Reason why a step does not count. */
export type Breakage = Pick<Fault, 'reason' | 'detail'>

/** One line that names where a step broke. */
export function describeFault({ env, step, reason }: Fault): string {
  return `environment ${env}, step ${step}: ${reason}`
}

/** The same for an evaluation, whose faults name an episode and its step. */
export function describeEvaluationFault({ env, step, reason }: Fault): string {
  return `evaluation episode ${env}, step ${step}: ${reason}`
}

/** Stack of an error's cause, such as the traceback of another language. */
export function detailOf({ cause }: Error): string | undefined {
  return cause instanceof Error ? cause.stack : undefined
}

/** The error for a fault that resets do not cure. @param line the fault, described */
export function permanentFault(line: string, { detail }: Fault): HatrpoError {
  const text = `${line}, again after ${MAX_RESETS} resets: giving up`
  return new HatrpoError(text, detail === undefined ? {} : { cause: withStack(line, detail) })
}

/** The error that a worker answered with. */
export function failureError({ failure, usage, detail }: Failure): HatrpoError {
  const cause = detail === undefined ? {} : { cause: withStack(failure, detail) }
  return new HatrpoError(failure, { exitCode: usage ? 2 : 1, ...cause })
}

/** An error that another thread reported. */
export function withStack(message: string, stack: string): Error {
  const error = new Error(message)
  error.stack = stack
  return error
}
