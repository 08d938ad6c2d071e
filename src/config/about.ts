import * as z from './zod.js'

/** Documentation of a key, from which the reference page, the types and the JSON Schema are made. */
export interface KeyAbout {
  /** One or a few sentences. */
  readonly text: string
  /** Unit of the value, such as `nats`; null for plain numbers and for choices. */
  readonly unit: string | null
  /** Value where neither the task, a preset, a file nor a flag gives another; absent where one must be given. */
  readonly default?: unknown
  /** Publication, code or page that the default is from. */
  readonly source: string
  /** The flag that sets it, besides `--set`. */
  readonly flag?: string
  /** Its JSON Schema, for values that zod cannot describe. */
  readonly json?: Readonly<Record<string, unknown>>
}

/** Documentation of the keys, by schema. */
const KEYS = z.registry<KeyAbout>()
/** Purposes of the groups of keys. */
const GROUPS = z.registry<{ readonly text: string }>()

/** Documents the schema of a key. */
export function key<T extends z.ZodType>(schema: T, about: KeyAbout & { readonly default?: z.infer<T> }): T {
  KEYS.add(schema, about)
  return schema
}

/** A later addition to the keys: a configuration without it has the default. */
export function laterKey<T extends z.ZodType>(
  schema: T,
  about: KeyAbout & { readonly default: z.infer<T> },
): z.ZodDefault<T> {
  return key(schema, about).default(about.default as never)
}

const shapeError = (issue: { code?: string }) => (issue.code === 'invalid_type' ? 'an object' : undefined)

/** Keys in an object that has no others. */
export function group<T extends z.core.$ZodLooseShape>(text: string, shape: T) {
  return asGroup(text, z.strictObject(shape, { error: shapeError }))
}

/** Documents the schema of an object as a group of keys. */
export function asGroup<T extends z.ZodObject>(text: string, schema: T): T {
  GROUPS.add(schema, { text })
  return schema
}

/** A later addition to the groups: a configuration without it has the defaults. */
export function laterGroup<T extends z.core.$ZodLooseShape>(text: string, shape: T) {
  const made = group(text, shape)
  const defaults = Object.entries(made.shape).map(([name, field]) => [
    name,
    aboutKey(field as z.ZodType)?.default,
  ])
  return made.default(Object.fromEntries(defaults) as never)
}

/** The schema of a value without its default. */
export function withoutDefault(schema: unknown): z.ZodType {
  return (schema instanceof z.ZodDefault ? schema.unwrap() : schema) as z.ZodType
}

export function aboutKey(schema: z.ZodType): KeyAbout | undefined {
  return KEYS.get(withoutDefault(schema))
}

export function aboutGroup(schema: z.ZodType): string | undefined {
  return GROUPS.get(withoutDefault(schema) as z.ZodObject)?.text
}

/** Description of the valid values, from the error for a wrong one. */
export function rangeOf(schema: z.ZodType): string {
  const { error } = withoutDefault(schema).safeParse(undefined)
  return error?.issues[0].message ?? 'anything'
}

/** A key that holds a value, or a group of keys. */
export type Entry =
  | {
      readonly kind: 'key'
      /** Dotted name, such as `trustRegion.delta`. */
      readonly key: string
      readonly about: KeyAbout
      readonly range: string
      /** Whether configurations may lack it. */
      readonly later: boolean
    }
  | {
      readonly kind: 'group'
      readonly key: string
      readonly text: string
      /** Whether it may hold other keys, too. */
      readonly open: boolean
      readonly entries: readonly Entry[]
    }

/** The keys and groups in the object that a schema describes, in its order. @throws for a key without documentation */
export function entriesOf(schema: z.ZodObject, prefix = '', later = false): Entry[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const key = prefix + name
    const inner = withoutDefault(field)
    const mayLack = later || inner !== field
    if (inner instanceof z.ZodObject) {
      const text = aboutGroup(inner)
      if (text === undefined) throw new Error(`the group ${key} has no text`)
      const open = inner.def.catchall?._zod.def.type !== 'never'
      return { kind: 'group', key, text, open, entries: entriesOf(inner, `${key}.`, mayLack) }
    }
    const about = aboutKey(inner)
    if (!about) throw new Error(`the key ${key} has no documentation`)
    return { kind: 'key', key, about, range: rangeOf(inner), later: mayLack }
  })
}

/** The keys among entries and in their groups. */
export function keysOf(entries: readonly Entry[]): Extract<Entry, { kind: 'key' }>[] {
  return entries.flatMap((entry) => (entry.kind === 'group' ? keysOf(entry.entries) : [entry]))
}
