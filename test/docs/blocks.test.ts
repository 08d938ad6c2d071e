import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'node:test'
import type { Command } from 'commander'
import { createProgram } from '../../src/cli/program.js'
import { resolveConfig } from '../../src/config/index.js'
import { algorithmNames } from '../../src/algorithms/table.js'
import { parseMatrixGame } from '../../src/envs/games/matrix-file.js'
import { CUSTOM_TEAM } from '../../src/envs/team/options.js'
import { isBuiltIn, makeEnvFactory } from '../../src/envs/registry.js'
import { findPython } from '../envs/python.js'
import { blocksOf, documents, root, type Block } from './blocks.js'
import { shellCommands } from './shell.js'

const blocks = documents().flatMap(blocksOf)
const inLanguage = (...languages: string[]) => blocks.filter(({ language }) => languages.includes(language))
const placeOf = ({ document, line }: Block) => `${document}:${line}`

/** Languages of the documents: the tests below check all but the text that programs print. */
const LANGUAGES = ['ts', 'js', 'json', 'jsonl', 'sh', 'python', 'html', 'text', '']

test('every block has a checked language', () => {
  assert.ok(blocks.length > 40)
  for (const block of blocks) assert.ok(LANGUAGES.includes(block.language), placeOf(block))
  // A test of environments runs this one in a browser.
  assert.deepEqual(
    inLanguage('html').map(({ document }) => document),
    ['docs/pages.md'],
  )
})

/** Blocks that are a part of a source file: the file, and the line that the part is put before. */
const PARTS: Record<string, { file: string; before: string }> = {
  'docs/ARCHITECTURE.md': { file: 'src/algorithms/table.ts', before: '} as const satisfies' },
}

/** A block as a separate file. */
function moduleOf({ document, code }: Block): string {
  if (!(document in PARTS)) return `${code}\nexport {}\n`
  const { file, before } = PARTS[document]
  const source = readFileSync(join(root, file), 'utf8')
  assert.ok(source.includes(before), file)
  return source.replace(before, `${code}${before}`)
}

test('TypeScript passes the type checker and JavaScript parses, in a project with the installed package', (t) => {
  const project = mkdtempSync(join(tmpdir(), 'hatrpo-blocks-'))
  t.after(() => rmSync(project, { recursive: true }))
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(root, join(project, 'node_modules/hatrpo'), 'dir')
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }')
  // As Vite declares it.
  writeFileSync(
    join(project, 'url.d.ts'),
    "declare module '*?url' {\n  const url: string\n  export default url\n}\n",
  )
  const code = inLanguage('ts', 'js')
  assert.ok(code.length > 5)
  const files = code.map((block) => {
    const name = /^\/\/ (\S+\.[cm]?[jt]s)\n/.exec(block.code)?.[1] ?? `line-${block.line}.${block.language}`
    const file = join(project, block.document, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, moduleOf(block))
    return file
  })
  const compilerOptions = {
    ...{ noEmit: true, strict: true, allowJs: true, skipLibCheck: true },
    ...{ target: 'es2023', module: 'nodenext', lib: ['es2023', 'dom'] },
    ...{ types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
  }
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['url.d.ts', ...files] }),
  )
  const tsc = join(root, 'node_modules/typescript-7/bin/tsc')
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', project, '--singleThreaded'], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stdout)
})

/** Readers of the documents whose JSON is a file that the package reads. */
const READERS: Record<string, (value: unknown) => unknown> = {
  'docs/envs/games.md': (value) => parseMatrixGame(value, 'the example', 'example'),
}

test('JSON parses, and the package reads the files', () => {
  const json = inLanguage('json')
  for (const block of json) {
    const value: unknown = JSON.parse(block.code)
    READERS[block.document]?.(value)
  }
  for (const { code } of inLanguage('jsonl')) for (const line of code.trim().split('\n')) JSON.parse(line)
  for (const document of Object.keys(READERS)) assert.ok(json.some((block) => block.document === document))
})

test('Python parses', { skip: findPython().missing }, () => {
  const python = inLanguage('python').map(({ code }) => code)
  if (python.length === 0) return
  const parse = 'import ast, json, sys\nfor code in json.load(sys.stdin): ast.parse(code)'
  const { status, stderr } = spawnSync(findPython().python, ['-c', parse], {
    input: JSON.stringify(python),
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
})

interface TrainFlags {
  readonly env?: string
  readonly algo?: string
  readonly steps?: string
  readonly preset?: string
  readonly set?: readonly string[]
}

interface Parsed {
  readonly name: string
  readonly args: readonly string[]
  readonly flags: Readonly<Record<string, unknown>>
}

/** Parses the arguments of the command by its own parser, without running it. @throws exceptions of the parser */
async function parse(args: readonly string[]): Promise<Parsed> {
  const program = createProgram()
  let parsed: Parsed | undefined
  const record = (command: Command) =>
    void command
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .action(() => {
        parsed = { name: command.name(), args: command.args, flags: command.opts() }
      })
  for (const command of [program, ...program.commands]) {
    record(command)
    command.commands.forEach(record)
  }
  await program.parseAsync(args, { from: 'user' })
  assert.ok(parsed !== undefined && parsed.name !== 'hatrpo', `no such command: ${args.join(' ')}`)
  return parsed
}

/** Resolves the configuration that a command would use. @throws HatrpoError for a wrong key or value */
function resolve({ name, args, flags }: Parsed): void {
  if (!['train', 'check-env'].includes(name) || flags['resume'] !== undefined) return
  const { env = args[0], algo = algorithmNames[0], steps, preset, set = [] } = flags as TrainFlags
  const given = Object.entries({ 'env.id': env, algo, steps }).filter(([, value]) => value !== undefined)
  const { config } = resolveConfig({
    preset,
    set: [...given.map(([key, value]) => `${key}=${value}`), ...set],
  })
  if (isBuiltIn(config.env.id) && config.env.id !== CUSTOM_TEAM) makeEnvFactory(config.env)
}

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}
const NPM_OWN = ['ci', 'install', 'test', 'start']

/** Checks of the commands in shell blocks, by program. */
const PROGRAMS: Record<string, (words: readonly string[], block: Block) => unknown> = {
  hatrpo: async (words) => resolve(await parse(words)),
  npx: ([program, ...words]) => {
    assert.equal(program, 'hatrpo')
    return PROGRAMS['hatrpo'](words, blocks[0])
  },
  npm: (words) => {
    const [command, script] = words.filter((word) => !word.startsWith('--'))
    if (command === 'run') assert.ok(script in scripts, `npm run ${script}`)
    else assert.ok(NPM_OWN.includes(command), `npm ${command}`)
  },
  node: ([file], { document }) => {
    const ofDocument = blocksOf(document).some(({ code }) => code.startsWith(`// ${file}\n`))
    assert.ok(ofDocument || existsSync(join(root, file)), file)
  },
  git: ([command]) => assert.equal(command, 'clone'),
  chromium: (words) => {
    const picture = words.find((word) => word.startsWith('--screenshot='))!.replace('--screenshot=', '')
    assert.ok(existsSync(join(root, picture)), picture)
  },
  pngquant: (words) => assert.ok(existsSync(join(root, words.at(-1)!)), words.at(-1)),
  ssh: (words) => assert.ok(words.includes('-L')),
  ffmpeg: (words) => assert.match(words.at(-1)!, /\.mp4$/),
}

test('shell commands have existing flags, keys, values and files', async () => {
  let checked = 0
  for (const block of inLanguage('sh')) {
    for (const words of shellCommands(block.code)) {
      const [program, ...rest] = words.slice(words.findIndex((word) => !/^[A-Z_]+=/.test(word)))
      assert.ok(program in PROGRAMS, `${placeOf(block)}: ${program}`)
      try {
        await PROGRAMS[program](rest, block)
      } catch (error) {
        assert.fail(`${placeOf(block)}: ${words.join(' ')}: ${(error as Error).message}`)
      }
      checked++
    }
  }
  assert.ok(checked > 60, `${checked}`)
})

test('wrong flags, keys and values of a shell block are found', async () => {
  const check = async (text: string) => PROGRAMS['npx'](shellCommands(text)[0].slice(1), blocks[0])
  const train = 'npx hatrpo train --env mamujoco/Hopper-3x1 --algo hatrpo'
  await check(`${train} --set 'actor.hidden=[8]' env.partition=graph # a comment`)
  const wrong: [string, RegExp][] = [
    [`${train} --stepz 3`, /unknown option '--stepz'/],
    [`${train} \\\n --set trustRegion.delt=1`, /trustRegion\.delt/],
    [`${train} --set env.partition=none`, /partition/],
    ['npx hatrpo check-env games/skirmish --set env.raider=5', /raider/],
    ['npx hatrpo trian', /no such command: trian/],
    ['npx hatrpo export run', /required option/],
  ]
  for (const [text, message] of wrong) await assert.rejects(check(text), message)
})
