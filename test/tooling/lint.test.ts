import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { after } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Files of a project with this repository's configuration: path to code. */
const files: Record<string, string> = {}
const folder = mkdtempSync(join(tmpdir(), 'hatrpo-lint-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Adds a file to those that are linted, all of them in one run. @returns its path */
function file(path: string, code: string): string {
  assert.ok(!(path in files), path)
  files[path] = code
  return path
}

/** Lints all files in one run. @returns the rules that each breaks, as `plugin(rule)`; a report without a rule is '' */
function lint(): Record<string, string[]> {
  const broken: Record<string, string[]> = {}
  for (const path of ['.oxlintrc.json', 'tsconfig.json', 'package.json', 'scripts/lint'])
    cpSync(join(root, path), join(folder, path), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
  for (const [path, code] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), code)
    broken[path] = []
  }
  const oxlint = join(root, 'node_modules/oxlint/bin/oxlint')
  const { stdout, stderr } = spawnSync(process.execPath, [oxlint, '--format', 'json'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  assert.ok(stdout.startsWith('{'), stdout + stderr)
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { filename: string; code?: string }[] }
  for (const { filename, code = '' } of diagnostics) broken[filename.replaceAll('\\', '/')].push(code)
  return broken
}

/** Linting begins when the whole module has listed its files. */
const linted = Promise.resolve().then(lint)
const rulesBroken = async (path: string): Promise<string[]> => (await linted)[path]

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

for (const [k, [what, code]] of Object.entries(inexact).entries()) {
  const path = file(`src/inexact-${k}.ts`, code)
  test(`arithmetic that engines round differently is reported: ${what}`, async () => {
    const rules = await rulesBroken(path)
    assert.ok(rules.includes('hatrpo(exact-math)'), `reported ${JSON.stringify(rules)}`)
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

for (const [k, [what, code]] of Object.entries(exact).entries()) {
  const path = file(`src/exact-${k}.ts`, code)
  test(`exact arithmetic is not reported: ${what}`, async () => {
    assert.deepEqual(await rulesBroken(path), [])
  })
}

for (const name of ['Math', 'Mathf', 'NativeMath', 'NativeMathf', 'JSMath']) {
  const call = (member: string): string =>
    file(
      `assembly/${name}-${member}.ts`,
      `export function f(x: f64): f64 {\n  return <f64>${name}.${member}(x)\n}`,
    )
  const [exp, sqrt] = [call('exp'), call('sqrt')]
  test(`AssemblyScript may take a square root from ${name} but no exponential`, async () => {
    assert.deepEqual(await rulesBroken(exp), ['hatrpo(exact-math)'])
    assert.deepEqual(await rulesBroken(sqrt), [])
  })
}

const power = file('assembly/power.ts', 'export function f(x: f64): f64 {\n  return x ** 2.0\n}')
test('AssemblyScript may not use the power operator', async () => {
  assert.deepEqual(await rulesBroken(power), ['hatrpo(exact-math)'])
})

const vectors = file(
  'assembly/vectors.ts',
  'export function sum(a: usize, n: i32): f32 {\n  let s: v128 = f32x4.splat(0)\n' +
    '  for (let i = 0; i < n; i += 4) s = f32x4.add(s, v128.load(a + ((<usize>i) << 2)))\n' +
    '  return f32x4.extract_lane(s, 0)\n}',
)
test('AssemblyScript types and builtins are accepted', async () => {
  assert.deepEqual(await rulesBroken(vectors), [])
})

const unreadable = ['assembly', 'src', 'scripts', 'test', 'workers'].map((where) =>
  file(`${where}/unreadable.${where === 'scripts' ? 'mjs' : 'ts'}`, 'export function f( {'),
)
test('a file that does not parse fails', async () => {
  for (const path of unreadable) assert.equal((await rulesBroken(path)).length, 1, path)
})

const bitsMatter = ['training', 'runs', 'config', 'export', 'algorithms', 'rollout', 'learner']
bitsMatter.push('devices/wasm', 'nn', 'envs/mamujoco', 'kernels', 'runtime')
const covered = [...bitsMatter.map((name) => `src/${name}`), 'workers', 'assembly'].map((where) =>
  file(`${where}/covered.ts`, 'export const x = Math.exp(1)'),
)
covered.push(file('workers/covered.cts', 'export const x = Math.exp(1)'))
const free = ['src/cli', 'src/web', 'src/report', 'src/devices/reference', 'test', 'bench'].map((where) =>
  file(`${where}/free.ts`, 'export const x = Math.exp(1)'),
)
test('the determinism rule covers exactly the code of training and of exported policies', async () => {
  for (const path of covered) assert.deepEqual(await rulesBroken(path), ['hatrpo(exact-math)'], path)
  for (const path of free) assert.deepEqual(await rulesBroken(path), [], path)
})

test('no file switches the determinism rule off', () => {
  for (const name of ['src', 'workers', 'assembly']) {
    for (const entry of readdirSync(join(root, name), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.c?ts$/.test(entry.name)) continue
      const path = join(entry.parentPath, entry.name)
      const disables = readFileSync(path, 'utf8').match(/(?:es|ox)lint-disable.*/g) ?? []
      for (const comment of disables) {
        const [named = ''] = comment.split('--')
        assert.match(named, /lint-disable\S*\s+\S/, `${path}: name the rule that ${comment} means`)
        assert.doesNotMatch(named, /exact-math/, path)
      }
    }
  }
})

interface Careless {
  readonly rule: string
  readonly code: string
  /** Location of the file. */
  readonly where?: string
}
const statements = (count: number): string => '  x++\n'.repeat(count)
const careless: Record<string, Careless> = {
  'a promise nobody waits for': {
    rule: 'typescript(no-floating-promises)',
    code: 'export function f(): void {\n  Promise.resolve(1)\n}',
  },
  'a promise nobody waits for, in a test': {
    rule: 'typescript(no-floating-promises)',
    code: 'export function f(): void {\n  Promise.resolve(1)\n}',
    where: 'test/f.ts',
  },
  'a promise as a condition': {
    rule: 'typescript(no-misused-promises)',
    code: 'export const f = (x: Promise<boolean>): number => (x ? 1 : 2)',
  },
  'an await of what is no promise': {
    rule: 'typescript(await-thenable)',
    code: 'export const f = async (x: number): Promise<number> => await x',
  },
  'an unused import': {
    rule: 'eslint(no-unused-vars)',
    code: "import { join } from 'node:path'\nexport const x = 1",
  },
  'an unused variable of AssemblyScript': {
    rule: 'eslint(no-unused-vars)',
    code: 'export function f(): void {\n  const a: i32 = 1\n}',
    where: 'assembly/f.ts',
  },
  'an unused variable of plain JavaScript': {
    rule: 'eslint(no-unused-vars)',
    code: 'const x = 1',
    where: 'scripts/f.mjs',
  },
  'an unknown name in plain JavaScript': {
    rule: 'eslint(no-undef)',
    code: 'export const x = unknownName',
    where: 'scripts/g.mjs',
  },
  'an import of types alone': {
    rule: 'typescript(consistent-type-imports)',
    code: "import { Dirent } from 'node:fs'\nexport const f = (x: Dirent): string => x.name",
  },
  'an explicit any': {
    rule: 'typescript(no-explicit-any)',
    code: 'export const f = (x: any): number => Number(x)',
  },
  'any from a call': {
    rule: 'typescript(no-unsafe-assignment)',
    code: "export const f = (): string => {\n  const x = JSON.parse('1')\n  return String(x)\n}",
  },
  'a member of any, in a test': {
    rule: 'typescript(no-unsafe-member-access)',
    code: "export const x = String(JSON.parse('{}').x)",
    where: 'test/g.ts',
  },
  'undefined in a text': {
    rule: 'typescript(restrict-template-expressions)',
    code: 'export const f = (x: string | undefined): string => `${x}`',
  },
  'an assertion that changes nothing': {
    rule: 'typescript(no-unnecessary-type-assertion)',
    code: 'export const f = (x: number): number => x as number',
  },
  'throwing what is no error': {
    rule: 'typescript(only-throw-error)',
    code: "export function f(): never {\n  throw 'text'\n}",
  },
  'loose equality': { rule: 'eslint(eqeqeq)', code: 'export const f = (x: number): boolean => x == 1' },
  'printing from the library': { rule: 'eslint(no-console)', code: "console.log('hello')\nexport {}" },
  'unfinished work': { rule: 'eslint(no-warning-comments)', code: '// TODO: finish\nexport const x = 1' },
  'a switch that forgets a case': {
    rule: 'typescript(switch-exhaustiveness-check)',
    code: "export function f(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1\n  }\n  return 0\n}",
  },
  'a long function': {
    rule: 'eslint(max-lines-per-function)',
    code: `export function f(x: number): number {\n${statements(60)}  return x\n}`,
  },
  'a long file': { rule: 'eslint(max-lines)', code: `let x = 1\n${statements(400)}export { x }` },
  'another kind of privacy': {
    rule: 'hatrpo(one-privacy)',
    code: 'export class A {\n  private x = 1\n  f(): number {\n    return this.x\n  }\n}',
  },
  'a directive that disables nothing': {
    // Such a report names no rule.
    rule: '',
    code: 'export const x = 1 // eslint-disable-line no-console -- it is quiet',
  },
}

for (const [k, [what, { rule, code, where }]] of Object.entries(careless).entries()) {
  const path = file(where ?? `src/careless-${k}.ts`, code)
  test(`carelessness is reported: ${what}`, async () => {
    assert.deepEqual(await rulesBroken(path), [rule])
  })
}

const careful: Record<string, string> = {
  'test/careful.ts': 'export const f = (x: string | undefined): string => `${x}`',
  'src/cli/careful.ts': "console.log('hello')\nexport {}",
  'bench/careful.ts': "console.log('hello')\nexport {}",
  'src/careful.ts': 'export const f = ({ call }: { call(): void }): (() => void) => call',
}
for (const [path, code] of Object.entries(careful)) {
  file(path, code)
  test(`allowed code in ${path} is not reported`, async () => {
    assert.deepEqual(await rulesBroken(path), [])
  })
}
