import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfigFile } from '../../../src/cli/config-file.js'
import { configKeys } from '../../../src/config/schema.js'
import { resolveConfig, validateConfig } from '../../../src/config/index.js'
import { trainableAlgorithms } from '../../../src/algorithms/parts.js'
import { loadEnvFactory } from '../../../src/envs/registry.js'
import { EnvContext } from '../../../src/envs/context.js'
import { expect, judge, type Attack } from '../attack.js'
import { mutateBytes, mutateJson, pick, wild } from '../mutate.js'
import type { Random } from '../../export/random-policy.js'

const BASE = ['env.id=mamujoco/HalfCheetah-2x3', 'steps=40000']

const complete = () =>
  trainableAlgorithms.map((algo) => resolveConfig({ set: [...BASE, `algo=${algo}`] }).config as unknown)

const polluted = () => 'polluted' in {}

export const configValues: Attack = {
  name: 'config-values',
  input: 'a complete configuration of any method gets other values, types and keys',
  fault: 'an error that is not one line, or a configuration that is not the same when it is checked again',
  limit: 10,
  share: 6,
  prepare() {
    const configs = complete()
    return (random) => {
      const value = mutateJson(pick(random, configs), random)
      return judge(
        () => validateConfig(value),
        (config) => {
          const text = JSON.stringify(config)
          expect(
            JSON.stringify(validateConfig(JSON.parse(text))) === text,
            'it differs when it is checked again',
          )
          expect(!polluted(), 'the prototype of all objects has a new key')
        },
      )
    }
  },
}

/** The text of a value in `key=value`. */
function settingText(random: Random): string {
  const value = random.uniform() < 0.8 ? JSON.stringify(wild(random)) : String(wild(random))
  return value.slice(0, 4000)
}

export const settings: Attack = {
  name: 'settings',
  input: 'one to four settings `key=value` with keys of the configuration, nearly such keys, and wild values',
  fault: 'an error that is not one line',
  limit: 10,
  share: 6,
  prepare() {
    const keys = [...configKeys, 'env.obs', 'env.x', 'actor.sharing.a', 'trustRegion.solver', '', '.', '__proto__.x', 'actor', 'nope'] // oxfmt-ignore
    const text = new TextEncoder()
    return (random) => {
      const algo = `algo=${pick(random, trainableAlgorithms)}`
      const made = Array.from({ length: random.whole(1, 4) }, () => {
        const setting = `${pick(random, keys)}=${settingText(random)}`
        if (random.uniform() < 0.8) return setting
        return new TextDecoder().decode(mutateBytes(text.encode(setting), random))
      })
      const preset = random.uniform() < 0.2 ? pick(random, ['harl', 'paper', 'marllib', 'x']) : undefined
      return judge(
        () => resolveConfig({ preset, set: [...BASE, algo, ...made] }),
        ({ config }) => {
          validateConfig(config)
          expect(!polluted(), 'the prototype of all objects has a new key')
        },
      )
    }
  },
}

export const configFiles: Attack = {
  name: 'config-files',
  input: 'the text of a configuration file is changed, or nested deeply',
  fault: 'an error that is not one line',
  limit: 10,
  share: 2,
  prepare(folder) {
    const texts = complete().map((config) => new TextEncoder().encode(JSON.stringify(config)))
    const file = join(folder, 'config.json')
    const deep = (random: Random) => {
      const [open, close] = pick(random, [['[', ']'], ['{"actor":', '}'], ['{"a":', '}']]) // oxfmt-ignore
      const depth = 10 ** random.whole(1, 5)
      return new TextEncoder().encode(open.repeat(depth) + '1' + close.repeat(depth))
    }
    return (random) => {
      writeFileSync(file, random.uniform() < 0.02 ? deep(random) : mutateBytes(pick(random, texts), random))
      return judge(
        () => resolveConfig({ file: readConfigFile(file) }),
        ({ config }) => validateConfig(config),
      )
    }
  },
}

const GAME = {
  agents: ['row', 'column'],
  actions: [['stag', 'hare'], 2],
  payoffs: [[[4, 4], [0, 3]], [[3, 0], [2, 2]]], // oxfmt-ignore
}

export const gameFiles: Attack = {
  name: 'game-files',
  input: 'a game in JSON is given other values, types and keys, or its bytes are changed',
  fault: 'an error that is not one line, when it is read and in its first steps',
  limit: 10,
  share: 2,
  prepare(folder) {
    const file = join(folder, 'game.json')
    const text = new TextEncoder().encode(JSON.stringify(GAME))
    return async (random) => {
      const changed =
        random.uniform() < 0.3 ? mutateBytes(text, random) : JSON.stringify(mutateJson(GAME, random))
      writeFileSync(file, changed ?? '')
      return judge(
        async () => (await loadEnvFactory({ id: file })).create(new EnvContext()),
        (env) => {
          env.reset(random.whole(0, 1000))
          expect(Number.isInteger(env.step()), 'a step gives no status')
          env.dispose?.()
        },
      )
    }
  },
}
