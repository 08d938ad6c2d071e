import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { ESLint, type Linter } from 'eslint'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const eslint = new ESLint({ cwd: root })

/** Lints `code` as if it stood in `file`; files outside assembly/ must exist, for their types. */
async function lint(code: string, file: string): Promise<Linter.LintMessage[]> {
  const [result] = await eslint.lintText(code, { filePath: join(root, file) })
  assert.ok(result)
  return result.messages
}

async function rulesBroken(code: string, file: string): Promise<(string | null)[]> {
  return (await lint(code, file)).map((message) => message.ruleId)
}

const inexact: Record<string, string> = {
  'the power operator': 'export const f = (x: number): number => x ** 2',
  'the power assignment': 'export function f(x: number): number {\n  x **= 2\n  return x\n}',
  'Math.random': 'export const x = Math.random()',
  'Math.exp': 'export const x = Math.exp(1)',
  'Math.pow': 'export const x = Math.pow(2, 0.5)',
  'Math.PI': 'export const x = Math.PI',
  'Math.round': 'export const x = Math.round(2.5)',
  'a name in brackets': "export const x = Math['exp'](1)",
  'a name in backquotes': 'export const x = Math[`exp`](1)',
  'optional chaining': 'export const x = Math?.exp(1)',
  'a computed name': "const name: 'exp' | 'log' = 'exp'\nexport const x = Math[name](1)",
  destructuring: 'const { exp } = Math\nexport const x = exp(1)',
  'destructuring with a new name': 'const { sqrt, log: ln } = Math\nexport const x = sqrt(1) + ln(1)',
  'destructuring the rest': 'const { sqrt, ...rest } = Math\nexport const x = sqrt(1) + rest.exp(1)',
  'destructuring by assignment': 'let exp: (x: number) => number\n;({ exp } = Math)\nexport const x = exp(1)',
  'a default parameter': 'export const f = ({ exp } = Math): number => exp(1)',
  'another name': 'const m = Math\nexport const x = m.exp(1)',
  'an argument': 'export const names = Object.keys(Math)',
  'a function passed on': 'export const f = [1].map(Math.cbrt)',
  'through globalThis': 'export const x = globalThis.Math.exp(1)',
  'through globalThis in brackets': "export const x = globalThis['Math'].exp(1)",
  'destructuring globalThis': 'const { Math: m } = globalThis\nexport const x = m.exp(1)',
  'behind a type assertion': 'export const x = (Math as { exp(x: number): number }).exp(1)',
}

for (const [what, code] of Object.entries(inexact)) {
  test(`arithmetic that engines round differently is reported: ${what}`, async () => {
    const rules = await rulesBroken(code, 'src/errors.ts')
    assert.ok(rules.includes('hatrpo/exact-math'), `reported ${JSON.stringify(rules)}`)
  })
}

const exact: Record<string, string> = {
  'the eleven exact functions':
    'export const f = (x: number): number =>\n' +
    '  Math.sqrt(x) + Math.fround(x) + Math.abs(x) + Math.floor(x) + Math.ceil(x) + Math.min(x, 1) +\n' +
    '  Math.max(x, 1) + Math.imul(x, 2) + Math.sign(x) + Math.trunc(x) + Math.clz32(x)',
  'an exact name in brackets': "export const x = Math['sqrt'](2)",
  'destructuring exact names': 'const { sqrt, abs: size } = Math\nexport const x = sqrt(size(1))',
  'an exact function passed on': 'export const x = [1].map(Math.abs)',
  'through globalThis': 'export const x = globalThis.Math.sqrt(2)',
  'a Math of its own': 'const Math = { exp: (x: number): number => x }\nexport const x = Math.exp(1)',
  'a method called exp': 'export const f = (kernels: { exp(x: number): number }): number => kernels.exp(1)',
  'a type': 'export type Exp = typeof Math.exp',
  multiplication: 'export const f = (x: number): number => x * x',
}

for (const [what, code] of Object.entries(exact)) {
  test(`exact arithmetic is not reported: ${what}`, async () => {
    assert.deepEqual(await rulesBroken(code, 'src/errors.ts'), [])
  })
}

for (const name of ['Math', 'Mathf', 'NativeMath', 'NativeMathf', 'JSMath']) {
  test(`AssemblyScript may take a square root from ${name} but no exponential`, async () => {
    const call = (member: string): string =>
      `export function f(x: f64): f64 {\n  return <f64>${name}.${member}(x)\n}`
    assert.deepEqual(await rulesBroken(call('exp'), 'assembly/f.ts'), ['hatrpo/exact-math'])
    assert.deepEqual(await rulesBroken(call('sqrt'), 'assembly/f.ts'), [])
  })
}

test('AssemblyScript may not use the power operator', async () => {
  const code = 'export function f(x: f64): f64 {\n  return x ** 2.0\n}'
  assert.deepEqual(await rulesBroken(code, 'assembly/f.ts'), ['hatrpo/exact-math'])
})

test('AssemblyScript types and builtins are accepted', async () => {
  const code =
    'export function sum(a: usize, n: i32): f32 {\n  let s: v128 = f32x4.splat(0)\n' +
    '  for (let i = 0; i < n; i += 4) s = f32x4.add(s, v128.load(a + ((<usize>i) << 2)))\n' +
    '  return f32x4.extract_lane(s, 0)\n}'
  assert.deepEqual(await rulesBroken(code, 'assembly/f.ts'), [])
})

test('a file that does not parse fails', async () => {
  for (const file of ['assembly/f.ts', 'src/errors.ts', 'scripts/f.mjs']) {
    const messages = await lint('export function f( {', file)
    assert.ok(
      messages.some((message) => message.fatal === true),
      file,
    )
  }
})

test('the determinism rule covers what trains and what is exported, and nothing else', async () => {
  const covers = async (file: string): Promise<boolean> => {
    const config = (await eslint.calculateConfigForFile(join(root, file))) as {
      rules: Record<string, unknown>
    }
    return JSON.stringify(config.rules['hatrpo/exact-math'] ?? [0]).startsWith('[2')
  }
  const strict = [
    'index',
    'training/f',
    'runs/f',
    'config/f',
    'export/f',
    'algorithms/f',
    'rollout/f',
    'learner/f',
  ]
  strict.push('devices/wasm/f', 'nn/f', 'envs/mamujoco/f', 'kernels/f', 'runtime/f')
  for (const file of [...strict.map((name) => `src/${name}.ts`), 'workers/f.ts', 'assembly/f.ts']) {
    assert.ok(await covers(file), file)
  }
  for (const file of ['src/cli/f.ts', 'src/web/f.ts', 'src/report/f.ts', 'test/f.test.ts', 'bench/f.ts']) {
    assert.ok(!(await covers(file)), file)
  }
})

test('no file switches the determinism rule off', () => {
  for (const folder of ['src', 'workers', 'assembly'].filter((name) => existsSync(join(root, name)))) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue
      const file = join(entry.parentPath, entry.name)
      const disables = readFileSync(file, 'utf8').match(/eslint-disable.*/g) ?? []
      for (const comment of disables) {
        const [named = ''] = comment.split('--')
        assert.match(named, /eslint-disable\S*\s+\S/, `${file}: name the rule that ${comment} means`)
        assert.doesNotMatch(named, /exact-math/, file)
      }
    }
  }
})

const careless: Record<string, { rule: string; code: string }> = {
  'a promise nobody waits for': {
    rule: '@typescript-eslint/no-floating-promises',
    code: 'export function f(): void {\n  Promise.resolve(1)\n}',
  },
  'an unused import': {
    rule: '@typescript-eslint/no-unused-vars',
    code: "import { join } from 'node:path'\nexport const x = 1",
  },
  'an explicit any': {
    rule: '@typescript-eslint/no-explicit-any',
    code: 'export const f = (x: any): number => Number(x)',
  },
  'loose equality': { rule: 'eqeqeq', code: 'export const f = (x: number): boolean => x == 1' },
  'printing from the library': { rule: 'no-console', code: "console.log('hello')" },
  'unfinished work': { rule: 'no-warning-comments', code: '// TODO: finish\nexport const x = 1' },
  'a switch that forgets a case': {
    rule: '@typescript-eslint/switch-exhaustiveness-check',
    code: "export function f(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1\n  }\n  return 0\n}",
  },
}

for (const [what, { rule, code }] of Object.entries(careless)) {
  test(`carelessness is reported: ${what}`, async () => {
    assert.ok((await rulesBroken(code, 'src/errors.ts')).includes(rule))
  })
}
