import { aboutGroup, aboutKey, rangeOf } from '../../src/config/about.js'
import { trainConfigSchema } from '../../src/config/schema.js'
import { SOLVER_KEY, SOLVERS } from '../../src/config/solvers.js'
import { toJSONSchema, type ZodType } from '../../src/config/zod.js'

/** A description of a key or a group, as editors show it. */
function describe(schema: ZodType): string | undefined {
  const about = aboutKey(schema)
  if (!about) return aboutGroup(schema)
  const unit = about.unit === null ? '' : `; unit: ${about.unit}`
  return `${about.text} Must be ${rangeOf(schema)}${unit}.`
}

/** The JSON Schema of configuration files, for editors: no key is required, since flags may give any. */
export function configJsonSchema(): Record<string, unknown> {
  const made = toJSONSchema(trainConfigSchema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const schema = zodSchema as unknown as ZodType
      const about = aboutKey(schema)
      delete jsonSchema.required
      const text = describe(schema)
      Object.assign(jsonSchema, about?.json, text !== undefined && { description: text })
      if (about?.default !== undefined) jsonSchema.default = about.default
    },
  }) as Schema
  const { trustRegion } = made.properties as Record<string, Schema>
  const name = SOLVER_KEY.slice(SOLVER_KEY.indexOf('.') + 1)
  trustRegion.properties[name] = {
    enum: Object.keys(SOLVERS),
    description: 'Named solver for the direction of a step; short for values of other keys.',
  }
  return {
    ...made,
    title: 'Configuration of a run',
    properties: {
      $schema: { type: 'string', description: 'Location of this schema.' },
      ...made.properties,
      about: {
        type: 'object',
        description: 'Information in the config.json of a run; ignored as a setting.',
      },
    },
  }
}

type Schema = Record<string, unknown> & { properties: Record<string, unknown> }
