import test from 'node:test'
import { CudaDevice } from '../../src/devices/cuda/device.js'
import { allocate } from '../../src/devices/reference/memory.js'
import { openSimulation } from './cuda/simulation.js'
import { deviceSuite } from './suite.js'

const simulation = await openSimulation()
const skip = simulation ? false : 'no C++ compiler: g++ or clang++'

test('device cuda, on the CPU', { skip }, (t) =>
  deviceSuite(t, async () => ({
    device: new CudaDevice(),
    accuracy: 'f32',
    array: allocate,
    close: async () => {},
  })),
)
