import type { Device } from '../../devices/device.js'
import type { Tensor } from '../../devices/tensor.js'
import type { ActionSpace } from '../../envs/contract.js'
import type { Network } from '../../nn/network.js'
import type { NetworkSpec } from '../../nn/spec.js'
import {
  categoricalHead,
  CategoricalPolicy,
  exportCategorical,
  type CategoricalHeadSpec,
} from './categorical.js'
import {
  exportGaussian,
  gaussianHead,
  GaussianPolicy,
  type GaussianHeadSpec,
  type GaussianOptions,
} from './gaussian.js'
import type { ExportedHead, PolicyHead, PolicyHeadSpec, PolicySpec } from './head.js'
import {
  exportRowGaussian,
  rowGaussianHead,
  RowGaussianPolicy,
  type RowGaussianHeadSpec,
} from './row-gaussian.js'

/** Options of all heads: the head of an action space reads its own. */
export interface HeadOptions extends GaussianOptions {
  /** Whether the deviation of continuous actions is the same in all states, or depends on the state. */
  readonly std: 'independent' | 'dependent'
}

/** The heads: how each is made of a network's outputs, and what exported policies need of it. */
interface HeadKind<Spec extends PolicyHeadSpec> {
  attach(device: Device, network: Network<NetworkSpec<Spec>>, parameters: Tensor): PolicyHead
  exported(spec: Spec): ExportedHead
}

const gaussian: HeadKind<GaussianHeadSpec> = {
  attach: (device, network, parameters) => new GaussianPolicy(device, network, parameters),
  exported: exportGaussian,
}

const rowGaussian: HeadKind<RowGaussianHeadSpec> = {
  attach: (device, network) => new RowGaussianPolicy(device, network),
  exported: exportRowGaussian,
}

const categorical: HeadKind<CategoricalHeadSpec> = {
  attach: (device, network) => new CategoricalPolicy(device, network),
  exported: exportCategorical,
}

const HEADS = { gaussian, rowGaussian, categorical }

/** The head of each kind of action space. */
const HEAD_OF_SPACE: {
  readonly [Kind in ActionSpace['kind']]: (
    space: Extract<ActionSpace, { kind: Kind }>,
    options: HeadOptions,
  ) => PolicyHeadSpec
} = {
  box: ({ size }, options) =>
    options.std === 'dependent' ? rowGaussianHead(size, options) : gaussianHead(size, options),
  discrete: ({ n }) => categoricalHead([n]),
  multiDiscrete: ({ sizes }) => categoricalHead(sizes),
}

function kindOf(spec: PolicyHeadSpec): HeadKind<PolicyHeadSpec> {
  const kind = (HEADS as Record<string, HeadKind<never> | undefined>)[spec.kind]
  if (!kind) throw new Error(`no head is called ${spec.kind}`)
  return kind
}

/** Description of the head for an action space. */
export function headFor(space: ActionSpace, options: HeadOptions): PolicyHeadSpec {
  const describe = HEAD_OF_SPACE[space.kind] as (space: ActionSpace, options: HeadOptions) => PolicyHeadSpec
  return describe(space, options)
}

/** The distribution over a network's outputs. */
export function attachHead(device: Device, network: Network<PolicySpec>, parameters: Tensor): PolicyHead {
  return kindOf(network.spec.head).attach(device, network, parameters)
}

export function exportedHead(spec: PolicyHeadSpec): ExportedHead {
  return kindOf(spec).exported(spec)
}
