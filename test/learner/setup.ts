import type { Device } from '../../src/devices/device.js'
import { builtInDevices, openDevice, openHost } from '../../src/devices/open.js'
import type { HostArray, Tensor } from '../../src/devices/tensor.js'
import { layerwise, type Derivatives } from '../../src/nn/derivatives.js'
import { OutputJacobian } from '../../src/nn/jacobian.js'
import { parameterLayout } from '../../src/nn/layout.js'
import type { Network } from '../../src/nn/network.js'
import { gaussianHead, type GaussianHeadSpec } from '../../src/learner/heads/gaussian.js'
import { VALUE_HEAD, type NetworkSpec } from '../../src/nn/spec.js'
import { normals, U } from '../reference/dense.js'

/** The devices that every machine can open. */
export const DEVICES = builtInDevices.map((name) => ({
  name,
  open: async () => openDevice(name, await openHost()),
}))

/** Ways to compute products with the Jacobian of a network. */
export interface Way {
  readonly way: string
  readonly derive: (device: Device, network: Network) => Derivatives
}
const LAYERWISE: Way = { way: 'layer by layer', derive: (_, network) => layerwise(network) }
const JACOBIAN: Way = {
  way: 'by the kept Jacobian',
  derive: (device, network) => new OutputJacobian(device, network),
}

/** The ways that a network allows. */
export const waysOf = ({ hidden }: NetworkSpec): readonly Way[] =>
  hidden.length > 0 ? [LAYERWISE, JACOBIAN] : [LAYERWISE]

/** Values on a device. */
export function tensorOf(device: Device, values: ArrayLike<number>): Tensor {
  const tensor = device.tensor('f32', values.length)
  device.write(tensor, values)
  return tensor
}

/** Changes the contents of a tensor. */
export function edit(device: Device, tensor: Tensor, change: (values: HostArray) => void): void {
  const values = device.read(tensor)
  change(values)
  device.write(tensor, values)
}

type Shape = Partial<Pick<NetworkSpec, 'activation' | 'hidden'> & NetworkSpec['input']>

function bodySpec({ activation = 'tanh', hidden = [5, 4], ...input }: Shape) {
  return {
    input: { size: 3, agentId: null, standardise: false, layerNorm: false, ...input },
    hidden,
    activation,
  }
}

export function actorSpec(shape: Shape = {}, actions = 2): NetworkSpec<GaussianHeadSpec> {
  return { ...bodySpec(shape), head: gaussianHead(actions, { stdX: 1, stdY: 0.5 }) }
}

export function criticSpec(shape: Shape = {}): NetworkSpec {
  return { ...bodySpec(shape), head: VALUE_HEAD }
}

/** Parameters far from the initial ones, so that no term of a derivative vanishes. */
export function parametersOf(spec: NetworkSpec, seed: number): Float32Array {
  const { entries, size } = parameterLayout(spec)
  const values = normals(size, seed, 0.3)
  for (const { name, shape, offset, size: count } of entries) {
    const part = values.subarray(offset, offset + count)
    if (name.endsWith('norm.weight')) part.forEach((v, i) => (part[i] = 1 + v))
    else if (name.endsWith('.weight')) part.forEach((v, i) => (part[i] = (3 * v) / Math.sqrt(shape[1])))
    else if (name === 'logStd') part.forEach((v, i) => (part[i] = 0.5 + v))
  }
  return values
}

/**
 * Bound on the relative rounding error of a pass through a network, to first order: every operation on a path adds U.
 * A layer sums its inputs once and its units in four LayerNorm sums; 32 covers the rest of a layer. The factor 8 is for
 * LayerNorm, which divides by a deviation that is smaller than the entries it is taken over.
 */
export function passError(spec: NetworkSpec): number {
  const widths = [spec.input.size + (spec.input.agentId?.count ?? 0), ...spec.hidden]
  const inputs = widths[0]
  return 8 * U * widths.reduce((total, width) => total + 5 * width + 32, inputs + spec.head.size)
}
