import { RUNNING, TERMINATED } from '../contract.js'
import type { EnvDefinition, EnvOptions } from '../define.js'
import { readOptions, whole } from '../options.js'
import { box, discrete } from '../spaces.js'
import { finiteGameOf } from './tables.js'
import type { MatrixGame } from './matrix-file.js'

/** Fewest numbers in an observation: networks that standardise their input see nothing of shorter vectors. */
const FEWEST = 3
/** State of a game that is over. */
const OVER = -1

/** State of an episode. */
type MatrixMemory = { readonly state: Int32Array }

/**
 * The environment of a finite game. All agents see which state the game is in, one-hot.
 * @param options `timeLimit` in place of the game's own
 * @throws HatrpoError (exit code 2) for an unknown option or a wrong value
 */
export function defineMatrixGame(game: MatrixGame, options: EnvOptions): EnvDefinition<MatrixMemory> {
  const { agents, actions, states } = game
  const { timeLimit } = readOptions(options, { timeLimit: whole(game.timeLimit, 1) })
  const size = Math.max(states.length, FEWEST)
  const finiteGame = finiteGameOf(game)
  return {
    spec: {
      id: game.name,
      agents: agents.map((id, i) => ({
        id,
        observation: box(size, 0, 1),
        action: discrete(actions[i].length),
      })),
      stateSize: size,
      observesState: true,
      timeLimit: Number(timeLimit),
      mode: game.shared ? 'cooperative' : 'general',
      ...(finiteGame && { finiteGame }),
    },
    startsAlike: game.deterministic,
    memory: () => ({ state: new Int32Array(1) }),
    reset({ memory: { state }, random }) {
      state[0] = drawState(game.start, 0, states.length, random.uniform())
    },
    step({ memory: { state }, actions: chosen, rewards, random }) {
      const { payoffs, next } = states[state[0]]
      let joint = 0
      for (let i = 0; i < chosen.length; i++) joint = joint * actions[i].length + chosen[i][0]
      for (let i = 0; i < rewards.length; i++) rewards[i] = payoffs[joint * rewards.length + i]
      state[0] = drawState(next, joint * states.length, states.length, random.uniform())
      return state[0] === OVER ? TERMINATED : RUNNING
    },
    observe({ memory: { state }, observations, state: seen, availableActions }) {
      seen.fill(0)
      if (state[0] !== OVER) seen[state[0]] = 1
      for (let i = 0; i < observations.length; i++) {
        observations[i].set(seen)
        if (state[0] !== OVER) availableActions[i].set(states[state[0]].available[i])
      }
    },
  }
}

/** The first state whose cumulative probability is above u. */
function drawState(cumulative: Float64Array, from: number, count: number, u: number): number {
  for (let s = 0; s < count; s++) if (u < cumulative[from + s]) return s
  return OVER
}
