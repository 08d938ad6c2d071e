import type { Device } from '../device.js'

interface Variant {
  readonly description: string
  /** Whether matrix products run on tensor cores, with factors rounded to TF32. */
  readonly tf32: boolean
}

/** Arithmetics of matrix products, the default first. */
const VARIANTS = {
  f32: { description: 'matrix products in f32', tf32: false },
  tf32: {
    description: 'matrix products on tensor cores, with factors of 11 significant bits instead of 24',
    tf32: true,
  },
} as const satisfies Readonly<Record<string, Variant>>

/** A variant as a way to open the device. */
export function variant(name: keyof typeof VARIANTS) {
  const { description, tf32 } = VARIANTS[name]
  return {
    description,
    missing: async () => (await import('./index.js')).missingDriver(),
    open: async (): Promise<Device> => new (await import('./index.js')).CudaDevice({ tf32 }),
  }
}
