import type { Device } from '../device.js'

interface Variant {
  readonly description: string
  /** Whether products of matrices are made by tensor cores, of factors that are rounded to TF32. */
  readonly tf32: boolean
}

/** Arithmetics of the products of matrices, the default first. */
const VARIANTS = {
  f32: { description: 'products of matrices in f32', tf32: false },
  tf32: {
    description:
      'products of matrices on tensor cores, of factors with 11 significant bits in the place of 24',
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
