import type { Scene, Shape, Solid, View } from '../scene.js'
import type { ParticleWorld } from './world.js'

const UPRIGHT = [1, 0, 0, 0, 1, 0, 0, 0, 1]
/** Half the height of an agent, and of a landmark, over its radius. */
const AGENT_HEIGHT = 0.35
const LANDMARK_HEIGHT = 0.08
const VIEW: View = { azimuth: 90, elevation: 52 }

/** Shapes by kind and radius, so that equal ones are one object in every scene. */
const shapes = new Map<string, Shape>()

function disc(radius: number, height: number): Shape & { readonly half: number } {
  const key = `${radius} ${height}`
  const known = shapes.get(key) ?? { kind: 'cylinder', radius, half: radius * height }
  shapes.set(key, known)
  return known as Shape & { readonly half: number }
}

/** Agents as discs in their colours, landmarks as flat ones. */
export function particleScene({ scenario, state }: ParticleWorld): Scene {
  const { agents, landmarks } = scenario
  const solids = [...agents, ...landmarks].map(({ radius }, body): Solid => {
    const isAgent = body < agents.length
    const shape = disc(radius, isAgent ? AGENT_HEIGHT : LANDMARK_HEIGHT)
    return {
      name: isAgent ? agents[body].id : `landmark_${body - agents.length}`,
      shape,
      position: [state.position[2 * body], state.position[2 * body + 1], shape.half],
      rotation: UPRIGHT,
      agents: isAgent ? [body] : [],
      role: isAgent ? 'robot' : 'thing',
    }
  })
  return { solids, ground: 0, view: VIEW }
}
