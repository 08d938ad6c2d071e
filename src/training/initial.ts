import { planMethod, type MethodPlan } from '../algorithms/assemble.js'
import { NO_RUN, type TrainConfig } from '../config/index.js'
import type { Tensor } from '../devices/tensor.js'
import type { EnvSpec } from '../envs/contract.js'
import { loadEnvFactory } from '../envs/registry.js'
import { usageError } from '../errors.js'
import type { ValueNorm } from '../learner/value-norm.js'
import type { NetworkSpec } from '../nn/spec.js'
import type { CheckpointData } from '../runs/checkpoint.js'
import { readRunCheckpoint, readRunConfig } from '../runs/folder.js'
import { readState } from './snapshot.js'

/** Networks of another run, with which a new one begins. */
export interface InitialNetworks {
  /** Folder of the run. */
  readonly from: string
  readonly checkpoint: Pick<CheckpointData, 'tensors' | 'state'>
}

/** Parts of a method that begin with other networks. */
interface Beginner {
  readonly device: { write(tensor: Tensor, values: Float32Array): void }
  readonly policies: readonly Trainable[]
  readonly critics: readonly (Trainable & { readonly valueNorm: ValueNorm | null })[]
}

interface Trainable {
  readonly name: string
  readonly parameters: { readonly tensor: Tensor; download(): void }
}

/**
 * The latest networks of the run that a configuration begins with; null where it begins with random ones.
 * @throws HatrpoError (exit code 2) for a folder without a run, and for networks of another shape, or other agents
 */
export async function readInitial(config: TrainConfig, env: EnvSpec): Promise<InitialNetworks | null> {
  const { from } = config.init
  if (from === NO_RUN) return null
  const other = readRunConfig(from)
  const plan = planMethod(config, env)
  if (plan.parts.update.tables)
    throw usageError(
      `init.from is ${from}: ${config.algo} has tables instead of networks, it must be ${NO_RUN}`,
    )
  const { spec } = other.env.id === config.env.id ? { spec: env } : await loadEnvFactory(other.env)
  assertSameShapes(from, shapesOf(config, plan), shapesOf(other, planMethod(other, spec)))
  return { from, checkpoint: readRunCheckpoint(from) }
}

/** Copies the parameters of another run to a method's policies and critics; optimisers start anew. */
export function beginWith(
  { device, policies, critics }: Beginner,
  { from, checkpoint }: InitialNetworks,
): void {
  const take = (name: string, { tensor }: Trainable['parameters']) => {
    const values = checkpoint.tensors[name]
    const found = values instanceof Float32Array ? `${values.length} numbers` : 'absent'
    if (found !== `${tensor.length} numbers`)
      throw usageError(`init.from is ${from}: its ${name} is ${found}, it must be ${tensor.length} numbers`)
    device.write(tensor, values as Float32Array)
  }
  const { valueNorms } = readState(checkpoint)
  for (const { name, parameters } of policies) {
    take(`actors/${name}`, parameters)
    parameters.download()
  }
  critics.forEach(({ name, parameters, valueNorm }, j) => {
    take(`critics/${name}`, parameters)
    const norm = valueNorms[j]
    if (norm) valueNorm?.restore(norm)
  })
}

/** Shapes of a run's networks, in words, by the name of the network. */
function shapesOf(
  { critic }: TrainConfig,
  { groups, critics, criticLayout }: MethodPlan,
): Map<string, string> {
  const values = `of ${criticLayout.input}, valueNorm ${critic.valueNorm}`
  return new Map([
    ...groups.map(({ id, spec }): [string, string] => [`the policy of ${id}`, shapeOf(spec)]),
    ...critics.map(({ spec }, j): [string, string] => [`critic ${j}`, `${shapeOf(spec)}, ${values}`]),
  ])
}

function shapeOf({ input, hidden, activation, recurrent, head }: NetworkSpec): string {
  const { size, agentId, standardise, layerNorm } = input
  const units = recurrent ? `, ${recurrent.layers} recurrent of ${recurrent.size}` : ''
  return (
    `${size} inputs (agentId ${agentId !== null}, standardise ${standardise}, inputNorm ${layerNorm}), ` +
    `hidden ${JSON.stringify(hidden)} ${activation}${units}, ${head.kind} of ${head.size}`
  )
}

function assertSameShapes(from: string, here: Map<string, string>, there: Map<string, string>): void {
  for (const [network, shape] of here) {
    const other = there.get(network)
    if (other === shape) continue
    const found = other === undefined ? 'absent there' : `${other} there`
    throw usageError(`init.from is ${from}: ${network} is ${found}, it must be as here: ${shape}`)
  }
}
