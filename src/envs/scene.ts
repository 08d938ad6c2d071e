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
  /** The same object in every scene while the shape does not change. */
  readonly shape: Shape
  readonly position: Point
  /** [9], row by row; its columns are the shape's axes in the world. */
  readonly rotation: readonly number[]
  /** Numbers of the agents that drive it, coloured in bands along its z axis; empty if none does. */
  readonly agents: readonly number[]
  /**
   * Part of a robot that agents drive, an object that they do not drive, or part of the world. A picture always shows
   * robots and objects in full.
   */
  readonly role: 'robot' | 'thing' | 'world'
}

/** Direction from which a scene is seen. */
export interface View {
  /** Degrees about the vertical: 0 looks along x, 90 along y. */
  readonly azimuth: number
  /** Degrees above the ground. */
  readonly elevation: number
  /** Fraction of the picture's width and height that remains free on each side. */
  readonly margin?: number
}

/** Drawable state of an environment. */
export interface Scene {
  readonly solids: readonly Solid[]
  /** Height of the ground; undefined without ground. */
  readonly ground?: number
  /** Whether the solids are in a liquid. */
  readonly liquid?: boolean
  /** Default view of the scene. */
  readonly view?: View
}
