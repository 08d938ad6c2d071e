import { usageError, type HatrpoError } from '../errors.js'
import { nearestName } from '../text/nearest.js'

/** Fewest letters at the end of an id that identify the intended one. */
const TELLING = 4

/** The id that a wrong one probably means: its family may be missing or wrong, or the beginning of its name. */
function nearestId(wrong: string, known: readonly string[]): string | undefined {
  const nameOf = (id: string) => id.slice(id.indexOf('/') + 1)
  const name = nameOf(wrong)
  const ending = known.find((id) => id.toLowerCase().endsWith(name.toLowerCase()))
  if (ending !== undefined && name.length >= TELLING) return ending
  const family = wrong.slice(0, wrong.length - name.length)
  const own = known.filter((id) => id.startsWith(family))
  const among = own.length > 0 ? own : known
  const nearest = nearestName(name, among.map(nameOf))
  return among.find((id) => nameOf(id) === nearest)
}

/**
 * Error for an environment that is not there.
 * @param known ids of the environments that are
 * @param otherwise the end of the message where no id is close
 */
export function noSuchEnv(id: string, known: readonly string[], otherwise: string): HatrpoError {
  const nearest = nearestId(id, known)
  return usageError(
    nearest === undefined
      ? `environment ${id}: ${otherwise}`
      : `environment ${id}: no such environment; did you mean ${nearest}? (hatrpo list envs has all)`,
  )
}
