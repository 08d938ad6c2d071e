import type { Sharing } from '../algorithms/specs.js'
import { didYouMean } from '../text/nearest.js'
import { isTree } from './tree.js'
import * as z from './zod.js'

// Schemas of values. The error of each is the range of right values, as reference pages print it too.

/** A whole number from `min` to `max`, both included. */
export function whole(min: number, max: number, note = '') {
  const error = `a whole number from ${min} to ${max}${note}`
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error })
}

/** A finite number above 0. */
export function positive() {
  const error = 'a number above 0'
  return z.number({ error }).positive({ error })
}

/** A finite number, 0 or more. */
export function nonNegative() {
  const error = 'a number, 0 or more'
  return z.number({ error }).min(0, { error })
}

/** A number from 0 to 1, both included. */
export function fraction() {
  const error = 'a number from 0 to 1'
  return z.number({ error }).min(0, { error }).max(1, { error })
}

/** A finite number, 1 or more. */
export function atLeastOne() {
  const error = 'a number, 1 or more'
  return z.number({ error }).min(1, { error })
}

/** A number from 0, which is excluded, to 1. */
export function share() {
  const error = 'a number above 0 and at most 1'
  return z.number({ error }).gt(0, { error }).max(1, { error })
}

/** A number between 0 and 1, both excluded. */
export function openFraction() {
  const error = 'a number above 0 and below 1'
  return z.number({ error }).gt(0, { error }).lt(1, { error })
}

export function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, { error: ({ input }) => `one of ${values.join(', ')}${didYouMean(input, values)}` })
}

export const text = (error: string) => z.string({ error }).min(1, { error })

export const flag = () => z.boolean({ error: 'true or false' })

const hiddenError = 'a list of 1 to 8 layer widths such as [128,128], each a whole number from 1 to 8192'
export const hidden = () =>
  z.array(whole(1, 8192), { error: hiddenError }).min(1, hiddenError).max(8, hiddenError)

const sharingError =
  'own, shared, or groups of agents by name, such as {"walkers": ["agent_0", "agent_1"], "arms": ["agent_2"]}'
/** Names of groups are names of tensors in checkpoints. */
const GROUP_NAME = '[A-Za-z][\\w-]*'
const isGroupName = new RegExp(`^${GROUP_NAME}$`)
export const sharing = () =>
  z.custom<Sharing>((value) => value === 'own' || value === 'shared' || isGroups(value), {
    error: sharingError,
  })

function isGroups(value: unknown): boolean {
  if (!isTree(value) || Object.keys(value).length === 0) return false
  return Object.entries(value).every(
    ([name, ids]) =>
      isGroupName.test(name) &&
      Array.isArray(ids) &&
      ids.length > 0 &&
      ids.every((id) => typeof id === 'string'),
  )
}

/** The same in JSON Schema. */
export const SHARING_JSON = {
  anyOf: [
    { enum: ['own', 'shared'] },
    {
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: `^${GROUP_NAME}$` },
      additionalProperties: { type: 'array', minItems: 1, items: { type: 'string' } },
    },
  ],
}
