/** A disc in the plane that an agent controls. */
export interface AgentBody {
  readonly id: string
  readonly radius: number
  /** Force per unit of action. */
  readonly sensitivity: number
  /** Infinity for none. */
  readonly maxSpeed: number
  readonly moves: boolean
  readonly collides: boolean
  /** Whether it sends messages. */
  readonly talks: boolean
  readonly adversary: boolean
  /** Name of the team whose agents get one reward; empty in tasks without teams. */
  readonly team: string
  /** Its observation, part after part. */
  readonly sees: readonly Part[]
}

/** A disc that never moves. */
export interface Landmark {
  readonly radius: number
  readonly collides: boolean
}

/** Parts of an observation; `parts.ts` says what each holds. */
export type Part =
  | 'velocity'
  | 'position'
  | 'goal'
  | 'landmarks'
  | 'agents'
  | 'goodVelocities'
  | 'messages'
  | 'goalColour'
  | 'landmarkColours'

const BODY = {
  radius: 0.05,
  sensitivity: 5,
  maxSpeed: Infinity,
  moves: true,
  collides: false,
  talks: false,
  adversary: false,
  team: '',
}

/** An agent's body: 0.05 in radius, moving, silent, and passing through others where nothing else is said. */
export function agentBody(body: Partial<AgentBody> & Pick<AgentBody, 'id' | 'sees'>): AgentBody {
  return { ...BODY, ...body }
}

/** Landmarks that are all alike. */
export function landmarks(count: number, radius = 0.05, collides = false): Landmark[] {
  return Array.from({ length: count }, () => ({ radius, collides }))
}

/** `count` colours of three channels: `high` at channel k + first of the k-th, `low` elsewhere. */
export function colours(count: number, high: number, low: number, first = 0): number[][] {
  return Array.from({ length: count }, (_, k) => [0, 1, 2].map((c) => (c === k + first ? high : low)))
}
