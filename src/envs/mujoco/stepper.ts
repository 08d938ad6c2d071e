import { readAssembly } from '../../kernels/asset.js'

/** Bytes of the stepper. In the code for pages, the build puts them in the place of this file. */
export const readStepper = (): Promise<Uint8Array<ArrayBuffer>> => readAssembly('stepper')
