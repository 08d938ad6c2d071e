import type { ActionSpace, MultiAgentEnv } from './contract.js'

function isOpen(mask: Uint8Array, first: number, count: number): boolean {
  for (let k = first; k < first + count; k++) if (mask[k] !== 0) return true
  return false
}

/** Whether something is available for each choice of an action. */
function isPossible(action: ActionSpace, mask: Uint8Array): boolean {
  if (action.kind === 'box') return true
  if (action.kind === 'discrete') return isOpen(mask, 0, action.n)
  let first = 0
  for (const count of action.sizes) {
    if (!isOpen(mask, first, count)) return false
    first += count
  }
  return true
}

/** The first agent that plays and has nothing available for one of its choices, or -1. Allocates nothing. */
export function findStuckAgent({ spec, availableActions: masks, active }: MultiAgentEnv): number {
  if (!masks) return -1
  for (let i = 0; i < masks.length; i++)
    if ((!active || active[i] !== 0) && !isPossible(spec.agents[i].action, masks[i])) return i
  return -1
}

/**
 * Mask of an agent; undefined without masks. The first choice is available to an agent that has left and has no other.
 */
export function maskOf({ spec, availableActions, active }: MultiAgentEnv, agent: number) {
  const mask = availableActions?.[agent]
  const { action } = spec.agents[agent]
  if (!mask || action.kind === 'box') return undefined
  if (!active || active[agent] !== 0 || isPossible(action, mask)) return mask
  const opened = mask.slice()
  let first = 0
  for (const count of action.kind === 'discrete' ? [action.n] : action.sizes) {
    if (!isOpen(mask, first, count)) opened[first] = 1
    first += count
  }
  return opened
}
