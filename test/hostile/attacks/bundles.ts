import { isDeepStrictEqual } from 'node:util'
import { bundleFiles } from '../../../src/export/bundle.js'
import { customSection, CUSTOM, readSections, writeSections } from '../../../src/export/binary.js'
import { loadBundle, loadPolicy, type Policy } from '../../../src/runtime/index.js'
import { choiceCount } from '../../../src/runtime/info.js'
import { ORIGIN, Random, randomPolicy, type Shape } from '../../export/random-policy.js'
import { expect, judge, type Attack } from '../attack.js'
import { mutateBytes, mutateJson, pick } from '../mutate.js'

const SHAPES: readonly Shape[] = [
  { observation: 6, hidden: [16, 8], action: 3 },
  { observation: 5, hidden: [8], action: 2, recurrent: { size: 6, layers: 1 } },
  { observation: 4, hidden: [9], action: 2, sizes: [3, 2] },
]

type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>

async function bundles(): Promise<Files[]> {
  const random = new Random(1)
  return Promise.all(
    SHAPES.map(async (shape) => {
      const policies = [0, 1].map((index) => randomPolicy(shape, random, index))
      const files = await bundleFiles(policies, ORIGIN)
      return new Map(files.map(({ name, bytes }) => [name, bytes]))
    }),
  )
}

/** Actions for some observations of the size that a policy says it takes. */
function actionsOf(policy: Policy): number[][] {
  const { size } = policy.info.observation
  policy.reset()
  return [0, 1, 2].map((k) => [...policy.act(Array.from({ length: size }, (_, i) => Math.sin(k + 2 * i)))])
}

/** Asserts the actions of those agents that a bundle.json still lists. */
function expectActions(agents: readonly Policy[], expected: readonly number[][][]): void {
  const known = agents.every((agent, i) => isDeepStrictEqual(actionsOf(agent), expected[i]))
  expect(known, 'another action')
}

const modulesOf = (files: Files) =>
  [...files].filter(([name]) => name.endsWith('.wasm')).map(([, bytes]) => bytes)

export const bundleBytes: Attack = {
  name: 'bundle-bytes',
  input: 'bits, bytes and stretches of one file of a bundle are changed, cut off, doubled or swapped',
  fault: 'another action, or an error that is not one line',
  limit: 10,
  share: 3,
  async prepare() {
    const sets = await bundles()
    const expected = await Promise.all(
      sets.map(async (files) => {
        const { agents } = await loadBundle((name) => files.get(name)!)
        return agents.map(actionsOf)
      }),
    )
    return async (random) => {
      const chosen = random.whole(0, sets.length - 1)
      const files = new Map(sets[chosen])
      const name = pick(random, [...files.keys()])
      files.set(name, mutateBytes(files.get(name)!, random))
      return judge(
        () => loadBundle((file) => files.get(file) ?? new Response(null, { status: 404 })),
        ({ agents }) => expectActions(agents, expected[chosen]),
      )
    }
  },
}

export const moduleBytes: Attack = {
  name: 'module-bytes',
  input: 'a policy module without its bundle.json, changed in the same ways',
  fault: 'another action, or an error that is not one line',
  limit: 10,
  share: 6,
  async prepare() {
    const modules = (await bundles()).flatMap(modulesOf)
    const expected = await Promise.all(modules.map(async (bytes) => actionsOf(await loadPolicy(bytes))))
    return async (random) => {
      const chosen = random.whole(0, modules.length - 1)
      const bytes = mutateBytes(modules[chosen], random)
      return judge(
        () => loadPolicy(bytes),
        (policy) => expect(isDeepStrictEqual(actionsOf(policy), expected[chosen]), 'another action'),
      )
    }
  },
}

export const moduleInfo: Attack = {
  name: 'module-metadata',
  input: "a module's description is given other values, types and keys, without a checksum",
  fault: 'an error that is not one line, when it is loaded and when it acts',
  limit: 10,
  share: 3,
  async prepare() {
    const modules = (await bundles()).flatMap(modulesOf)
    return async (random) => {
      const sections = readSections(pick(random, modules))
      const [own] = WebAssembly.Module.customSections(
        new WebAssembly.Module(writeSections(sections)),
        'hatrpo',
      )
      const info = mutateJson(JSON.parse(new TextDecoder().decode(own)), random)
      const text = new TextEncoder().encode(JSON.stringify(info))
      const kept = sections.filter(({ id }) => id !== CUSTOM)
      const bytes = writeSections([...kept, customSection('hatrpo', text)])
      return judge(
        () => loadPolicy(bytes),
        (policy) =>
          judge(
            () => policy.act(new Float32Array(policy.info.observation.size)),
            () => policy.logits.length === choiceCount(policy.info.action),
          ),
      )
    }
  },
}

export const bundleInfo: Attack = {
  name: 'bundle-metadata',
  input: 'bundle.json is given other values, types and keys',
  fault: 'another action, a file outside of the bundle that is asked for, or an error that is not one line',
  limit: 10,
  share: 3,
  async prepare() {
    const [files] = await bundles()
    const info: unknown = JSON.parse(new TextDecoder().decode(files.get('bundle.json')))
    const { agents: originals } = await loadBundle((name) => files.get(name)!)
    const expected = originals.map(actionsOf)
    return async (random) => {
      const text = new TextEncoder().encode(JSON.stringify(mutateJson(info, random)))
      const fetcher = (name: string) => {
        if (name === 'bundle.json') return text
        expect(/^[\w-][\w.-]*$/.test(name), `it asks for the file ${JSON.stringify(name)}`)
        return files.get(name) ?? new Response(null, { status: 404 })
      }
      return judge(
        () => loadBundle(fetcher),
        ({ agents }) => expectActions(agents, expected),
      )
    }
  },
}
