import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { HatrpoError } from '../../src/errors.js'

/** A tensor as golden files write it: row-major data and its shape. */
export const goldenArray = z
  .object({ shape: z.array(z.int().nonnegative()), data: z.array(z.number()) })
  .refine(({ shape, data }) => shape.reduce((product, n) => product * n, 1) === data.length, {
    error: 'shape and number of data disagree',
  })
export type GoldenArray = z.infer<typeof goldenArray>

/** Entry of header.params: a parameter tensor in the flat vector. */
export const goldenParameter = z.looseObject({
  name: z.string(),
  shape: z.array(z.int().positive()),
  offset: z.int().nonnegative(),
  size: z.int().positive(),
})
export type GoldenParameter = z.infer<typeof goldenParameter>

const block = z.record(z.string(), z.unknown())
const bounds = z.record(z.string(), z.looseObject({ suggest_atol: z.number().nonnegative() }))
const fixtureFile = z.looseObject({
  header: z.looseObject({
    fixture: z.string(),
    golden: z.enum(['harl', 'ref64']),
  }),
  inputs: block,
  harl: block.optional(),
  ref64: block.optional(),
  tolerance: bounds,
  tolerance_stagewise: bounds.optional(),
})
export type Fixture = z.infer<typeof fixtureFile>

/** Reads a golden file of HARL's numbers. @throws HatrpoError for a file that cannot be read or is of another kind */
export async function readFixture(file: string): Promise<Fixture> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new HatrpoError(`cannot be read: ${messageOf(cause)}`, { cause })
  })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new HatrpoError(`is not JSON: ${messageOf(cause)}`, { cause })
  }
  const fixture = parseAs(fixtureFile, json, 'is not a golden file')
  if (fixture[fixture.header.golden] === undefined) {
    throw new HatrpoError(
      `is not a golden file: header.golden names ${fixture.header.golden}, which it lacks`,
    )
  }
  return fixture
}

/** The header and inputs that a kind needs, as `schema` has them. */
export function readAs<T>(fixture: Fixture, schema: z.ZodType<T>): T {
  return parseAs(schema, fixture, `is not a ${fixture.header.fixture} file that can be compared`)
}

/** The numbers that our code is held against. */
export function goldenBlock(fixture: Fixture): Record<string, unknown> {
  return fixture[fixture.header.golden]!
}

/** An input's numbers in float32. @throws HatrpoError when its shape is another */
export function float32(name: string, array: GoldenArray, ...shape: number[]): Float32Array {
  if (array.shape.join() !== shape.join()) {
    throw new HatrpoError(`inputs.${name}: shape [${array.shape.join()}], must be [${shape.join()}]`)
  }
  return Float32Array.from(array.data)
}

function parseAs<T>(schema: z.ZodType<T>, value: unknown, complaint: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]
  throw new HatrpoError(`${complaint}: ${path.join('.')}: ${message}`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
