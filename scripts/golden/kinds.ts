import type { Device } from '../../src/devices/device.js'
import { deviceNames, openDevice, openHost } from '../../src/devices/open.js'
import { HatrpoError } from '../../src/errors.js'
import { checkCategoricalTrustRegion } from './categorical-step.js'
import { checkClipped } from './clipped.js'
import { compare, type Computed } from './compare.js'
import { checkCritic } from './critic.js'
import { readFixture, type Fixture } from './fixture.js'
import { checkGae } from './gae.js'
import { checkGaussianActor } from './gaussian-actor.js'
import { DERIVATIVES, type Derive, type DerivativesName } from './derivatives.js'
import { byChunk, checkRecurrentActor } from './recurrent-actor.js'
import type { FileReport } from './report.js'
import { checkSequentialClipped, checkSequentialTrustRegion } from './sequential.js'
import { checkTrustRegion } from './trust-region.js'

type Check = (fixture: Fixture, device: Device, derive: Derive) => Computed | Promise<Computed>

/** Computation for each kind of golden file. */
const kinds: Readonly<Record<string, Check>> = {
  gaussian_actor: checkGaussianActor,
  hatrpo_update_gaussian: checkTrustRegion,
  hatrpo_update_categorical: checkCategoricalTrustRegion,
  happo_update: checkClipped,
  critic_update: checkCritic,
  gae_returns: checkGae,
  sequential_hatrpo: checkSequentialTrustRegion,
  sequential_happo: checkSequentialClipped,
  gru_actor: checkRecurrentActor,
}

/**
 * Compares a file of HARL's numbers with ours.
 * @param deviceName device that computes ours
 * @param derivatives way to compute Fisher products
 * @throws HatrpoError for files that cannot be compared
 */
export async function checkLearnerFile(
  file: string,
  deviceName: string = deviceNames[0],
  derivatives: DerivativesName = 'chosen',
): Promise<FileReport> {
  const fixture = byChunk(await readFixture(file))
  const kind = fixture.header.fixture
  const check = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
  if (!check)
    throw new HatrpoError(`kind not supported yet: ${kind} (supported: ${Object.keys(kinds).join(', ')})`)
  const device = await openDevice(deviceName, await openHost())
  return compare(fixture, await check(fixture, device, DERIVATIVES[derivatives]))
}
