import type { MultiAgentEnv } from '../contract.js'

export interface NamedView {
  /** As the code has it: `observations[1]`. */
  readonly name: string
  readonly view: Float32Array | Uint8Array
}

/** Outputs of an environment, in one order. */
export function outputViews(env: MultiAgentEnv): NamedView[] {
  return [...seenViews(env), { name: 'rewards', view: env.rewards }]
}

/** The outputs that depend on the state alone, not on the last step. */
export function seenViews(env: MultiAgentEnv): NamedView[] {
  const views: NamedView[] = []
  add(views, 'observations', env.observations)
  views.push({ name: 'state', view: env.state })
  if (env.availableActions !== undefined) add(views, 'availableActions', env.availableActions)
  if (env.active !== undefined) views.push({ name: 'active', view: env.active })
  return views
}

/** The outputs and the actions. */
export function allViews(env: MultiAgentEnv): NamedView[] {
  const views = outputViews(env)
  add(views, 'actions', env.actions)
  return views
}

function add(views: NamedView[], name: string, list: readonly (Float32Array | Uint8Array)[]): void {
  for (let i = 0; i < list.length; i++) views.push({ name: `${name}[${i}]`, view: list[i] })
}

/** Every property of an environment that must stay the same object, and the views within. */
export function identities(env: MultiAgentEnv): { name: string; object: unknown }[] {
  const lists = ['observations', 'actions', 'availableActions'] as const
  return [
    ...lists.map((name) => ({ name, object: env[name] })),
    ...allViews(env).map(({ name, view }) => ({ name, object: view })),
  ]
}

/** Whether two views have a byte in common. */
export function overlap(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return (
    a.buffer === b.buffer &&
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength
  )
}
