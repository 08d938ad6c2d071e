import type { Device } from '../devices/device.js'
import type { HostDevice } from '../devices/host.js'
import type { Tensor } from '../devices/tensor.js'
import { PURPOSE, splitSeed } from '../kernels/index.js'
import { initialParameters } from '../nn/initialise.js'
import { parameterLayout } from '../nn/layout.js'
import type { NetworkSpec } from '../nn/spec.js'

/** A network's flat parameter vector, where rollouts read it and where the method changes it. */
export interface NetworkParameters {
  /** In the host's memory. */
  readonly host: Tensor
  /** On the learner's device. */
  readonly tensor: Tensor
  /** Brings the learner's parameters to the host. */
  readonly download: () => void
}

/**
 * Initial parameters of a network, drawn for (seed, network).
 * @param network number of the network in its method
 */
export function networkParameters(
  host: HostDevice,
  device: Device,
  spec: NetworkSpec,
  headGain: number,
  seed: number,
  network: number,
): NetworkParameters {
  const [low, high] = splitSeed(seed)
  const { fillNormals } = host.kernels.exports
  const draw = () =>
    initialParameters(host, spec, headGain, (tensor) => ({ byteOffset, length }) => {
      fillNormals(byteOffset, length, low, high, PURPOSE.parameters, network, tensor)
    })
  const values = host.measuring ? undefined : draw()
  const parameters = host.tensor('f32', parameterLayout(spec).size)
  if (values) host.write(parameters, values)
  const mirror = device.mirror(host.view(parameters))
  return { host: parameters, tensor: mirror.tensor, download: () => mirror.download() }
}
