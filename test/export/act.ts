// Runs a policy in this JavaScript engine: `act.js MODULE` prints the actions' bits for fixed observations.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { createPolicy } from '../../src/runtime/index.js'
import { Random } from './random-policy.js'

/** Modes and samples over 100 observations, f32 little-endian in hexadecimal. */
export function actions(bytes: Uint8Array<ArrayBuffer>): string {
  const policy = createPolicy(new WebAssembly.Module(bytes))
  const random = new Random(99)
  policy.seed(2 ** 33 + 5)
  let text = ''
  for (let i = 0; i < 100; i++) {
    const observation = random.vector(policy.info.observation.size, 4)
    const logits = policy.logits.slice()
    for (const values of [policy.act(observation), policy.sample(observation), logits]) {
      for (const bits of new Uint32Array(values.buffer)) text += bits.toString(16).padStart(8, '0')
    }
  }
  return text
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const path of process.argv.slice(2)) console.log(actions(new Uint8Array(readFileSync(path))))
}
