/** Tensor of TensorFlow.js: immutable, with explicit disposal. */
export interface TfTensor {
  readonly shape: readonly number[]
  readonly size: number
  dataSync(): Float32Array | Int32Array
  dispose(): void
}

type Shape = readonly number[]
type Unary = (x: TfTensor) => TfTensor
type Binary = (a: TfTensor, b: TfTensor | number) => TfTensor
type Reduction = (x: TfTensor, axis: number, keepDims: boolean) => TfTensor

/** The part of TensorFlow.js that is used: memory and forward operations. */
export interface TensorFlow {
  setBackend(name: string): Promise<boolean>
  ready(): Promise<void>
  /** The active backend. Each backend is a separate class. */
  backend(): object
  memory(): { readonly numTensors: number }
  /** Runs `work` and disposes of the tensors that it creates, except kept ones. */
  tidy<T>(work: () => T): T
  keep(x: TfTensor): TfTensor
  tensor1d(values: Float32Array | Int32Array, type: 'float32' | 'int32'): TfTensor
  zeros(shape: Shape): TfTensor
  ones(shape: Shape): TfTensor
  oneHot(indices: TfTensor, depth: number): TfTensor
  cast(x: TfTensor, type: 'float32'): TfTensor
  reshape(x: TfTensor, shape: Shape): TfTensor
  slice(x: TfTensor, begin: Shape, size: Shape): TfTensor
  concat(parts: readonly TfTensor[], axis: number): TfTensor
  tile(x: TfTensor, repeats: Shape): TfTensor
  gather(x: TfTensor, indices: TfTensor): TfTensor
  transpose(x: TfTensor): TfTensor
  /** 1 where x > 0, otherwise `below` */
  step(x: TfTensor, below: number): TfTensor
  matMul(a: TfTensor, b: TfTensor): TfTensor
  readonly fused: { matMul(operands: { a: TfTensor; b: TfTensor; bias: TfTensor }): TfTensor }
  readonly add: Binary
  readonly sub: Binary
  readonly mul: Binary
  readonly div: Binary
  readonly greater: Binary
  readonly notEqual: Binary
  readonly where: (condition: TfTensor, a: TfTensor, b: TfTensor) => TfTensor
  readonly sum: Reduction
  readonly mean: Reduction
  readonly min: Reduction
  readonly max: Reduction
  readonly square: Unary
  readonly sqrt: Unary
  readonly rsqrt: Unary
  readonly exp: Unary
  readonly erf: Unary
  readonly tanh: Unary
  readonly sigmoid: Unary
  readonly relu: Unary
  readonly elu: Unary
  readonly onesLike: Unary
  readonly zerosLike: Unary
}
