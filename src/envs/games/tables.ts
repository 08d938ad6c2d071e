import { jointActionCount, type FiniteGame } from '../finite-game.js'
import type { MatrixGame } from './matrix-file.js'

/**
 * Tables of a game with equal rewards and without masks. If the game can end, an absorbing state without rewards is
 * added; time limits do not count.
 * @returns undefined for any other game
 */
export function finiteGameOf(game: MatrixGame): (() => FiniteGame) | undefined {
  const everything = game.states.every(({ available }) =>
    available.every((mask) => mask.every((may) => may === 1)),
  )
  return game.shared && everything ? () => makeTables(game) : undefined
}

function makeTables({ agents, actions, states, start }: MatrixGame): FiniteGame {
  const counts = actions.map(({ length }) => length)
  const joint = jointActionCount(counts)
  const listed = states.length
  const ends = states.some(({ next }) => {
    for (let a = 1; a <= joint; a++) if (next[a * listed - 1] < 1) return true
    return false
  })
  const total = listed + (ends ? 1 : 0)
  const rewards = new Float64Array(total * joint)
  const transitions = new Float64Array(total * joint * total)
  for (let s = 0; s < total; s++) {
    for (let a = 0; a < joint; a++) {
      const row = transitions.subarray((s * joint + a) * total, (s * joint + a + 1) * total)
      if (s === listed) row[listed] = 1
      else {
        rewards[s * joint + a] = states[s].payoffs[a * agents.length]
        fillRow(states[s].next, a * listed, listed, row)
      }
    }
  }
  const initial = new Float64Array(total)
  fillRow(start, 0, listed, initial)
  return { states: total, actions: counts, rewards, transitions, initial }
}

/** Probabilities from cumulative ones; the remainder to 1 is added to the next entry, if there is one. */
function fillRow(cumulative: Float64Array, from: number, count: number, out: Float64Array): void {
  let before = 0
  for (let s = 0; s < count; s++) {
    out[s] = cumulative[from + s] - before
    before = cumulative[from + s]
  }
  if (out.length > count) out[count] = 1 - before
}
