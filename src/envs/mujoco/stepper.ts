import { readAssembly } from '../../kernels/asset.js'

/** Bytes of the stepper. In the code for pages, the build replaces this file by them. */
export const readStepper = (): Promise<Uint8Array<ArrayBuffer>> => readAssembly('stepper')
