import { HatrpoError } from '../../errors.js'
import type { PythonFailure } from './protocol.js'

/** The end of a run for what Python threw. */
export function pythonError(id: string, { message, usage, trace }: PythonFailure): HatrpoError {
  const cause = trace === '' ? {} : { cause: tracebackError(message, trace) }
  return new HatrpoError(`environment ${id}: ${message}`, { ...cause, exitCode: usage ? 2 : 1 })
}

/** An error whose stack is Python's traceback. */
export function tracebackError(message: string, trace: string): Error {
  const error = new Error(message)
  error.stack = trace.trimEnd()
  return error
}

/** Error of an episode whose replay gave a different result. */
export function notDeterministic(id: string, episode: { seed: number; steps: number }): HatrpoError {
  return new HatrpoError(
    `environment ${id} is not deterministic under its seed: its episode from seed ${episode.seed}, played again for ` +
      `${episode.steps} steps, gave different observations, state or rewards; reset(seed) must seed all random numbers of step()`,
  )
}
