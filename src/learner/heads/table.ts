import type { Device } from '../../devices/device.js'
import type { Tensor } from '../../devices/tensor.js'
import type { ActionSpace } from '../../envs/contract.js'
import { naturalLog } from '../../envs/random.js'
import { usageError } from '../../errors.js'
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
  gaussianBreadth,
  gaussianHead,
  GaussianPolicy,
  type GaussianHeadSpec,
  type GaussianOptions,
} from './gaussian.js'
import {
  deterministicHead,
  DeterministicPolicy,
  exportDeterministic,
  type DeterministicHeadSpec,
  type ExplorationOptions,
} from './deterministic.js'
import type { ActingHead, Breadth, ExportedHead, PolicyHead, PolicyHeadSpec, PolicySpec } from './head.js'
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
  /** Of deterministic policies. */
  readonly exploration?: ExplorationOptions
}

/** The heads: how each is made of a network's outputs, and what exported policies need of it. */
interface HeadKind<Spec extends PolicyHeadSpec, Head extends ActingHead = PolicyHead> {
  attach(device: Device, network: Network<NetworkSpec<Spec>>, parameters: Tensor): Head
  exported(spec: Spec): ExportedHead
  /** Width of a distribution from its mean entropy in nats; empty for policies without a density. */
  breadth(spec: Spec, entropy: number): Breadth
}

const gaussian: HeadKind<GaussianHeadSpec> = {
  attach: (device, network, parameters) => new GaussianPolicy(device, network, parameters),
  exported: exportGaussian,
  breadth: gaussianBreadth,
}

const rowGaussian: HeadKind<RowGaussianHeadSpec> = {
  attach: (device, network) => new RowGaussianPolicy(device, network),
  exported: exportRowGaussian,
  breadth: gaussianBreadth,
}

const categorical: HeadKind<CategoricalHeadSpec> = {
  attach: (device, network) => new CategoricalPolicy(device, network),
  exported: exportCategorical,
  breadth: ({ sizes }, entropy) => ({
    entropyShare: entropy / sizes.reduce((sum, n) => sum + naturalLog(n), 0),
  }),
}

const deterministic: HeadKind<DeterministicHeadSpec, DeterministicPolicy> = {
  attach: (device, network) => new DeterministicPolicy(device, network),
  exported: exportDeterministic,
  breadth: () => ({}),
}

/** Distributions of actions. */
const HEADS = { gaussian, rowGaussian, categorical }
/** Heads by which policies act: those, and policies without a density. */
const ACTING_HEADS = { ...HEADS, deterministic }

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

/** Heads of policies that are moved along their own action, by action space. */
const DETERMINISTIC_HEAD_OF_SPACE: {
  readonly [Kind in ActionSpace['kind']]:
    | ((
        space: Extract<ActionSpace, { kind: Kind }>,
        options: ExplorationOptions,
        owner: string,
      ) => PolicyHeadSpec)
    | null
} = { box: deterministicHead, discrete: null, multiDiscrete: null }

/** Kinds of policies that update rules move: distributions of actions, or functions to actions. */
export type PolicyKind = 'stochastic' | 'deterministic'

function kindOf<Head extends ActingHead>(
  heads: Readonly<Record<string, unknown>>,
  { kind }: PolicyHeadSpec,
): HeadKind<PolicyHeadSpec, Head> {
  const found = Object.hasOwn(heads, kind) ? heads[kind] : undefined
  if (!found) throw new Error(`no head is called ${kind}`)
  return found as HeadKind<PolicyHeadSpec, Head>
}

/**
 * Description of the head for an action space.
 * @param owner the agent and its environment, for the error
 * @throws HatrpoError (exit code 2) where policies of a kind have no head for the space
 */
export function headFor(
  space: ActionSpace,
  options: HeadOptions,
  policies: PolicyKind = 'stochastic',
  owner = 'an agent',
): PolicyHeadSpec {
  if (policies === 'deterministic') return deterministicHeadFor(space, options.exploration!, owner)
  const describe = HEAD_OF_SPACE[space.kind] as (space: ActionSpace, options: HeadOptions) => PolicyHeadSpec
  return describe(space, options)
}

function deterministicHeadFor(
  space: ActionSpace,
  options: ExplorationOptions,
  owner: string,
): PolicyHeadSpec {
  const describe = DETERMINISTIC_HEAD_OF_SPACE[space.kind] as
    | ((space: ActionSpace, options: ExplorationOptions, owner: string) => PolicyHeadSpec)
    | null
  if (describe) return describe(space, options, owner)
  throw usageError(`${owner} has a ${space.kind} action: a deterministic policy needs a box with bounds`)
}

/** The distribution over a network's outputs. */
export function attachHead(device: Device, network: Network<PolicySpec>, parameters: Tensor): PolicyHead {
  return kindOf<PolicyHead>(HEADS, network.spec.head).attach(device, network, parameters)
}

/** The part of any head by which a policy acts. */
export function attachActingHead(
  device: Device,
  network: Network<PolicySpec>,
  parameters: Tensor,
): ActingHead {
  return kindOf<ActingHead>(ACTING_HEADS, network.spec.head).attach(device, network, parameters)
}

export function exportedHead(spec: PolicyHeadSpec): ExportedHead {
  return kindOf<ActingHead>(ACTING_HEADS, spec).exported(spec)
}

/** Width of a head's distribution of actions. @param entropy mean over samples, nats */
export function breadthOf(spec: PolicyHeadSpec, entropy: number): Breadth {
  return kindOf<ActingHead>(ACTING_HEADS, spec).breadth(spec, entropy)
}
