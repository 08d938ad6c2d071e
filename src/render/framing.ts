import type { Scene, View } from '../envs/scene.js'
import { fitCamera, hullOf, moveCamera, shownSolids, stageOf, type Camera, type Stage } from './camera.js'
import type { Ball } from './body.js'
import { subtract, type Vector } from './vector.js'

/** From where a scene of a film is seen. */
export interface Framing {
  readonly camera: Camera
  readonly stage: Stage
}

/** Seconds before and after a moment over which the camera's path is smoothed. */
const SMOOTHING = 0.4

/**
 * Framings of the scenes of episodes, from one direction and one distance. Where a robot goes further than it is large,
 * the camera moves along with it.
 * @param aspect width over height
 * @param seconds between scenes
 */
export function frameEpisodes(
  episodes: readonly (readonly Scene[])[],
  view: View,
  aspect: number,
  seconds: number,
): Framing[][] {
  const robots = episodes.map((scenes) => scenes.map(withRobots))
  const stages = robots.map((scenes) => scenes.map(stageOf))
  const size = largest(stages.flat())
  const follows = stages.some((own) => [0, 1].some((axis) => spread(own, axis).range > size))
  const looks = follows ? robots : episodes
  const shown = follows ? stages : looks.map((scenes) => scenes.map(stageOf))
  const tracks = shown.map((own) => trackOf(own, follows ? Math.floor(SMOOTHING / seconds + 0.5) : Infinity))
  const balls = looks.flatMap((scenes, e) =>
    scenes.flatMap((scene, i) =>
      hullOf(shownSolids(scene)).map(({ at, radius }): Ball => ({ at: subtract(at, tracks[e][i]), radius })),
    ),
  )
  const camera = fitCamera(balls, view, aspect)
  const extent = largest(shown.flat())
  return tracks.map((track) =>
    track.map((centre) => ({ camera: moveCamera(camera, centre), stage: { centre, extent } })),
  )
}

/** A scene with only what agents drive; the whole one where that is nothing. */
function withRobots(scene: Scene): Scene {
  const solids = scene.solids.filter(({ role }) => role === 'robot')
  return solids.length > 0 ? { ...scene, solids } : scene
}

function largest(stages: readonly Stage[]): number {
  return stages.reduce((most, { extent }) => Math.max(most, extent), 0)
}

function spread(stages: readonly Stage[], axis: number): { range: number; middle: number } {
  const low = stages.reduce((least, { centre }) => Math.min(least, centre[axis]), Infinity)
  const high = stages.reduce((most, { centre }) => Math.max(most, centre[axis]), -Infinity)
  return { range: high - low, middle: (low + high) / 2 }
}

/** The centres of stages, smoothed along the ground and of one height; at rest for an infinite `window`. */
function trackOf(stages: readonly Stage[], window: number): Vector[] {
  const [x, y] = [0, 1].map((axis) => {
    if (window === Infinity) return stages.map(() => spread(stages, axis).middle)
    const along = stages.map(({ centre }) => centre[axis])
    return smooth(smooth(along, window), window)
  })
  const { middle } = spread(stages, 2)
  return stages.map((_, i): Vector => [x[i], y[i], middle])
}

/** Means over windows that shrink towards both ends, so that steady motion is unchanged. */
function smooth(values: readonly number[], window: number): number[] {
  return values.map((_, i) => {
    const reach = Math.min(window, i, values.length - 1 - i)
    const near = values.slice(i - reach, i + reach + 1)
    return near.reduce((sum, value) => sum + value, 0) / near.length
  })
}
