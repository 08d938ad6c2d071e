import type { Device } from '../../devices/device.js'
import type { Tensor } from '../../devices/tensor.js'
import type { ActionSpace } from '../../envs/contract.js'
import { usageError } from '../../errors.js'
import type { Network } from '../../nn/network.js'
import type { NetworkSpec } from '../../nn/spec.js'
import {
  exportGaussian,
  gaussianHead,
  GaussianPolicy,
  type GaussianHeadSpec,
  type GaussianOptions,
} from './gaussian.js'
import type { ExportedHead, PolicyHead, PolicyHeadSpec, PolicySpec } from './head.js'

/** Options of all heads: the head of an action space reads its own. */
export type HeadOptions = GaussianOptions

/** The heads: how each is made of a network's outputs, and what exported policies need of it. */
interface HeadKind<Spec extends PolicyHeadSpec> {
  attach(device: Device, network: Network<NetworkSpec<Spec>>, parameters: Tensor): PolicyHead
  exported(spec: Spec): ExportedHead
}

const gaussian: HeadKind<GaussianHeadSpec> = {
  attach: (device, network, parameters) => new GaussianPolicy(device, network, parameters),
  exported: exportGaussian,
}

const HEADS = { gaussian }

/** The head of each kind of action space; null where none is built yet. */
const HEAD_OF_SPACE: {
  readonly [Kind in ActionSpace['kind']]:
    ((space: Extract<ActionSpace, { kind: Kind }>, options: HeadOptions) => PolicyHeadSpec) | null
} = {
  box: ({ size }, options) => gaussianHead(size, options),
  discrete: null,
  multiDiscrete: null,
}

function kindOf(spec: PolicyHeadSpec): HeadKind<PolicyHeadSpec> {
  const kind = (HEADS as Record<string, HeadKind<never> | undefined>)[spec.kind]
  if (!kind) throw new Error(`no head is called ${spec.kind}`)
  return kind
}

/**
 * Description of the head for an action space.
 * @param owner the agent and its environment, for the error
 * @throws HatrpoError (exit code 2) for spaces without a head
 */
export function headFor(space: ActionSpace, options: HeadOptions, owner: string): PolicyHeadSpec {
  const describe = HEAD_OF_SPACE[space.kind] as
    ((space: ActionSpace, options: HeadOptions) => PolicyHeadSpec) | null
  if (describe) return describe(space, options)
  const built = Object.entries(HEAD_OF_SPACE).flatMap(([kind, head]) => (head ? [kind] : []))
  throw usageError(`${owner} has a ${space.kind} action: only ${built.join(', ')} actions can be trained yet`)
}

/** The distribution over a network's outputs. */
export function attachHead(device: Device, network: Network<PolicySpec>, parameters: Tensor): PolicyHead {
  return kindOf(network.spec.head).attach(device, network, parameters)
}

export function exportedHead(spec: PolicyHeadSpec): ExportedHead {
  return kindOf(spec).exported(spec)
}
