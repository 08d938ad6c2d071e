import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { MAIN } from '../cli/command.js'
import { blocksOf, root } from './blocks.js'

const DOCUMENT = 'docs/your-own-environment.md'
const page = readFileSync(join(root, DOCUMENT), 'utf8')

/** The page's code blocks in some languages. */
function blocks(...languages: string[]): string[] {
  return blocksOf(DOCUMENT)
    .filter(({ language }) => languages.includes(language))
    .map(({ code }) => code)
}

const commands = blocks('sh').flatMap((block) => block.trim().split('\n'))
/** Flags of `train` that the page names for a quick try. */
const quick = /with `(--set [^`]+)` behind it/.exec(page)![1].split(' ')

let project = ''

/** Runs one of the page's commands in the project. */
function run(command: string): { code: number | null; stdout: string; stderr: string } {
  const [program, ...words] = command.split(' ')
  assert.ok(program === 'node' || (program === 'npx' && words[0] === 'hatrpo'), command)
  const args = program === 'npx' ? [MAIN, ...words.slice(1)] : words
  const shortened = words[1] === 'train' ? [...args, ...quick] : args
  const { status, stdout, stderr } = spawnSync(process.execPath, shortened, {
    cwd: project,
    encoding: 'utf8',
  })
  return { code: status, stdout, stderr }
}

/** Runs the only command of the page that matches, which must succeed. @returns its stdout */
function runPage(pattern: RegExp): string {
  const matching = commands.filter((command) => pattern.test(command))
  assert.equal(matching.length, 1, `${pattern} in ${commands.join('; ')}`)
  const { code, stdout, stderr } = run(matching[0])
  assert.equal(code, 0, stderr)
  return stdout
}

before(() => {
  project = mkdtempSync(join(tmpdir(), 'hatrpo-tutorial-'))
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }')
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(root, join(project, 'node_modules/hatrpo'), 'dir')
  for (const code of blocks('ts', 'js')) {
    writeFileSync(join(project, /^\/\/ (\S+)\n/.exec(code)![1]), code)
  }
})

after(() => rmSync(project, { recursive: true, force: true }))

test('check-env finds nothing wrong, and finds the mistake suggested by the page', () => {
  assert.match(runPage(/check-env/), /^nothing wrong found\n$/m)
  const source = readFileSync(join(project, 'carry.ts'), 'utf8')
  const broken = source.replace('random.uniform()', 'Math.random()')
  assert.notEqual(broken, source)
  writeFileSync(join(project, 'broken.ts'), broken)
  const { code, stdout } = run('npx hatrpo check-env ./broken.ts')
  assert.equal(code, 1)
  assert.match(
    stdout,
    /^error {4}determinism: the episode of seed \d+, run again .*stream that reset restarts/m,
  )
})

test('the training, evaluation and export of the page run', () => {
  assert.match(runPage(/ train /), /^steps 8000 in 2 iterations\n[\s\S]*^parameters sha256 [0-9a-f]{64}\n$/m)
  const evaluated = /return (-\d+\.\d) \+- \d+\.\d over 100 episodes of \d+\.\d steps\n$/
  const [, ofRun] = evaluated.exec(runPage(/ eval runs/))!
  assert.match(
    runPage(/ export /),
    /^policies\/agent_0\.wasm \d+ bytes\npolicies\/agent_1\.wasm \d+ bytes\n/m,
  )
  const [, ofBundle] = evaluated.exec(runPage(/ eval policies/))!
  assert.equal(ofBundle, ofRun)
})

test('the dictionary form walks to the goal', () => {
  // The page compares the result of training with it.
  const [, told] = /\((-\d+\.\d), \[below\]/.exec(page)!
  assert.equal(runPage(/^node /), `walking straight to the goal: ${told}\n`)
})

test('every command of the page was run', () => {
  const kinds = [/check-env/, / train /, / eval runs/, / export /, / eval policies/, /^node /]
  assert.ok(commands.every((command) => kinds.some((kind) => kind.test(command))))
})
