import type { PolicyRival } from '../../src/bench/rivals.js'
import { onnxModel } from './onnx.js'

/** The part of onnxruntime-web that is used. */
export interface OnnxRuntime {
  readonly env: { readonly wasm: { numThreads?: number } }
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<{ run(feeds: object): Promise<Outputs> }>
  }
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => object
}

type Outputs = Readonly<Record<string, { readonly data: Float32Array }>>

/** Policies as ONNX models on one thread of WebAssembly. */
export function onnxRuntimeRival(runtime: OnnxRuntime): PolicyRival {
  runtime.env.wasm.numThreads = 1
  return {
    name: 'onnxruntime-web',
    open: async (network, rows) => {
      const options = { executionProviders: ['wasm'], graphOptimizationLevel: 'all' }
      const session = await runtime.InferenceSession.create(onnxModel(network, rows), options)
      const shape = [rows, network.spec.input.size]
      return async (observations) => {
        const tensor = new runtime.Tensor('float32', observations, shape)
        const { actions } = await session.run({ observations: tensor })
        return actions.data
      }
    },
  }
}
