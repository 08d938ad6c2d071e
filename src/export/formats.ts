import type { writeBundle } from './write.js'

/** Writes a bundle in one format. */
type Writer = typeof writeBundle

/** Formats of exported policies: how each is written, loaded on use; null where it is not built yet. */
const FORMATS = {
  wasm: async () => (await import('./write.js')).writeBundle,
  onnx: null,
  safetensors: null,
} as const satisfies Readonly<Record<string, (() => Promise<Writer>) | null>>

type Formats = typeof FORMATS

/** Name of a format that can be written. */
export type ExportFormat = {
  [Name in keyof Formats]: Formats[Name] extends null ? never : Name
}[keyof Formats]

function isBuilt(name: string): name is ExportFormat {
  return Object.hasOwn(FORMATS, name) && FORMATS[name as keyof Formats] !== null
}

/** Formats that can be written, the default first. */
export const exportFormats: readonly ExportFormat[] = Object.keys(FORMATS).filter(isBuilt)

/** Constraint on a format, for the error line of a wrong value. */
export function expectedFormat(value: unknown): string {
  const planned = Object.hasOwn(FORMATS, String(value)) && !isBuilt(String(value))
  return `${exportFormats.join(' or ')}${planned ? ` (${String(value)} is not supported yet)` : ''}`
}

/** The writer of a format; undefined for a name that is unknown or not built yet. */
export async function formatWriter(name: string): Promise<Writer | undefined> {
  return isBuilt(name) ? await FORMATS[name]() : undefined
}
