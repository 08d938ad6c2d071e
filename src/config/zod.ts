// The part of zod that the schema uses. The build joins it with its imports into one file: zod itself has 95 files,
// which take longer to load than the rest of the configuration.

export {
  array,
  boolean,
  custom,
  enum,
  number,
  object,
  registry,
  strictObject,
  string,
  toJSONSchema,
  union,
  ZodDefault,
  ZodObject,
} from 'zod'
export type { core, infer, ZodType } from 'zod'
