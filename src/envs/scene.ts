/** A point or a direction: x, y, z, in metres. */
export type Point = readonly [x: number, y: number, z: number]

/** A shape around its own origin. Capsules and cylinders lie along z; a capsule of `half` 0 is a sphere. */
export type Shape =
  | { readonly kind: 'capsule'; readonly radius: number; readonly half: number }
  | { readonly kind: 'cylinder'; readonly radius: number; readonly half: number }
  | { readonly kind: 'ellipsoid'; readonly axes: Point }
  | { readonly kind: 'box'; readonly half: Point }
  /** `vertices`: three numbers each; `faces`: three positions of vertices each. */
  | { readonly kind: 'mesh'; readonly vertices: Float32Array; readonly faces: Int32Array }

/** A shape somewhere in the world. */
export interface Solid {
  readonly name: string
  /** The same object in every scene, as long as the shape does not change. */
  readonly shape: Shape
  readonly position: Point
  /** [9], row by row; its columns are the shape's axes in the world. */
  readonly rotation: readonly number[]
  /** Numbers of the agents that drive it, in bands along its z axis; empty where none does. */
  readonly agents: readonly number[]
  /**
   * Whether it is part of a robot that agents drive, of a thing that moves without them, or of the world, which a
   * picture need not show in full.
   */
  readonly role: 'robot' | 'thing' | 'world'
}

/** Direction from which a scene is seen. */
export interface View {
  /** Degrees about the vertical: 0 looks along x, 90 along y. */
  readonly azimuth: number
  /** Degrees above the ground. */
  readonly elevation: number
  /** Share of the picture's width and height that stays free on each side. */
  readonly margin?: number
}

/** State of an environment as a picture shows it. */
export interface Scene {
  readonly solids: readonly Solid[]
  /** Height of the ground; undefined where there is none. */
  readonly ground?: number
  /** Whether the solids are in a liquid. */
  readonly liquid?: boolean
  /** View of the scene where none is asked for. */
  readonly view?: View
}
