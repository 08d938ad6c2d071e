// Names of heads, methods and devices appear where they are defined or listed, and nowhere else.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { createProgram } from '../../src/cli/program.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

interface Rule {
  readonly name: RegExp
  /** Files, and folders that end in a slash. */
  readonly allowed: readonly string[]
}

const DEVICE_FILES = [
  'src/devices/steps.ts',
  'src/devices/head-steps.ts',
  'src/devices/operations/',
  'src/devices/cuda/',
  'src/devices/reference/',
  'src/devices/tfjs/',
]
/** Parity with the published implementation: its files, and how they were made. */
const PARITY = 'scripts/golden/'
/** Published settings cite the files of other repositories. */
const SOURCES = 'src/config/published.ts'

const RULES: Readonly<Record<string, Rule>> = {
  gaussian: {
    name: /gaussian/gi,
    allowed: [
      'src/learner/heads/gaussian.ts',
      'src/learner/heads/row-gaussian.ts',
      'src/learner/heads/table.ts',
      ...DEVICE_FILES,
      PARITY,
    ],
  },
  // The first steps of a new user name a method.
  hatrpo: { name: /hatrpo/gi, allowed: ['src/algorithms/table.ts', 'scripts/start.mjs', PARITY, SOURCES] },
  happo: { name: /happo/gi, allowed: ['src/algorithms/table.ts', PARITY, SOURCES] },
  wasm: {
    name: /wasm/gi,
    allowed: [
      'src/devices/open.ts',
      'src/devices/wasm/',
      'src/devices/tfjs/backends.ts',
      'src/kernels/',
      'src/export/',
      'src/runtime/',
      'workers/check-wide.ts',
      'scripts/build.mjs',
      'scripts/flame.mjs',
    ],
  },
}

const COMMANDS = createProgram().commands.map((command) => command.name())

/** Uses of a name that are not the head's, the method's or the device's. */
const OTHER_USES: readonly RegExp[] = [
  // The package: its error, entry points, command with examples of it, formats, and folders of temporary files.
  /HatrpoError/g,
  /hatrpo\/(env|runtime)\b/g,
  new RegExp(`\\bhatrpo (${COMMANDS.join('|')}|--help)\\b.*`, 'g'),
  /^ \* hatrpo: trust-region multi-agent.*/gm,
  /`hatrpo` and its entry points/g,
  /^ \* @module hatrpo$/gm,
  /name === 'hatrpo'|'hatrpo has been bundled: |--external:hatrpo/g,
  /custom section `hatrpo`/g,
  /there are hatrpo, /g,
  /\/\^hatrpo[(/]/g,
  /new Command\('hatrpo'\)|name: 'hatrpo'(, setup| \})|SECTION = 'hatrpo'|'hatrpo-(policy|bundle|trajectory)?'/g,
  /__hatrpo_/g,
  /`hatrpo: \$\{|`hatrpo: cannot/g,
  // The folder of cached binaries, and Binaryen's program.
  /~\/\.cache\/hatrpo|'\.cache'\), 'hatrpo'\)/g,
  /\bwasm-opt\b/g,
  // Files of WebAssembly, and an option of Emscripten's loader.
  /\.wasm\b|\binstantiateWasm\b/g,
]

function sources(): string[] {
  return ['src', 'workers', 'scripts'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .map((path) => `${folder}/${String(path).replaceAll('\\', '/')}`)
      .filter((path) => /\.(ts|mjs|cjs|js)$/.test(path) && !path.includes('/generated/')),
  )
}

/** Places in a file with a name that a rule restricts to other files. */
function offences(file: string, text: string, { name, allowed }: Rule): string[] {
  if (allowed.some((place) => (place.endsWith('/') ? file.startsWith(place) : file === place))) return []
  const rest = OTHER_USES.reduce((kept, use) => kept.replace(use, ''), text)
  return rest
    .split('\n')
    .flatMap((line, i) => (line.search(name) < 0 ? [] : [`${file}:${i + 1}: ${line.trim()}`]))
}

for (const [what, rule] of Object.entries(RULES)) {
  test(`${what} is named only where it is defined or listed`, () => {
    const files = sources()
    assert.ok(files.length > 150)
    assert.deepEqual(
      files.flatMap((file) => offences(file, readFileSync(join(root, file), 'utf8'), rule)),
      [],
    )
    for (const place of rule.allowed) {
      const named = files
        .filter((file) => file.startsWith(place))
        .some((file) => readFileSync(join(root, file), 'utf8').search(rule.name) >= 0)
      assert.ok(named, `${place} does not name it: it needs no permission`)
    }
  })
}

test('names are distinguished from other uses of the same word', () => {
  const count = (text: string) => offences('src/training/loop.ts', text, RULES.hatrpo).length
  assert.equal(count("if (algo === 'happo') happo()\nthrow new HatrpoError('hatrpo/env')"), 0)
  assert.equal(count('  hatrpo train --algo hatrpo --steps 5'), 0)
  for (const text of [
    'algo === "hatrpo"',
    "algo === 'hatrpo'",
    'class HatrpoUpdate {}',
    '// the step of HATRPO',
  ])
    assert.equal(count(text), 1, text)
  assert.equal(offences('src/training/loop.ts', "import('./kernels.wasm')", RULES.wasm).length, 0)
  assert.equal(offences('src/training/loop.ts', "device === 'wasm'", RULES.wasm).length, 1)
})
