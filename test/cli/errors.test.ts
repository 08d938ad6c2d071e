import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import { createProgram } from '../../src/cli/program.js'
import { openRun } from '../../src/runs/folder.js'
import { storedRun } from '../export/stored-run.js'
import { temporaryDirectory, testConfig } from '../runs/fixtures.js'
import { hatrpo, hatrpoEach, type Outcome } from './command.js'

const train = ['train', '--env', 'mamujoco/HalfCheetah-2x3', '--algo', 'hatrpo']

/** Asserts that a command printed one line with all `words` on stderr, nothing on stdout, and exited with `code`. */
function assertOneLine(outcome: Outcome, args: readonly string[], words: readonly string[], code = 2): void {
  const said = `hatrpo ${args.join(' ')}`
  assert.equal(outcome.stdout, '', said)
  assert.match(outcome.stderr, /^hatrpo: [^\n]+\n$/, said)
  for (const word of words)
    assert.ok(outcome.stderr.includes(word), `${said} printed ${outcome.stderr}without ${word}`)
  assert.equal(outcome.code, code, said)
}

function assertRefused(cwd: string, args: readonly string[], words: readonly string[], code = 2): void {
  assertOneLine(hatrpo(args, cwd), args, words, code)
}

/** Asserts that each command is refused. */
function assertAllRefused(
  cwd: string,
  wrong: readonly (readonly [readonly string[], ...string[]])[],
  code = 2,
): void {
  const outcomes = hatrpoEach(
    wrong.map(([args]) => args),
    cwd,
  )
  assert.equal(outcomes.length, wrong.length)
  wrong.forEach(([args, ...words], i) => assertOneLine(outcomes[i], args, words, code))
}

test('invalid commands and flags', (t) => {
  const cwd = temporaryDirectory(t)
  const commands = createProgram()
    .commands.map((command) => command.name())
    .join(', ')
  assert.match(commands, /^train, eval, /)
  const wrong: [args: string[], ...words: string[]][] = [
    [[], 'name a command', commands],
    [['trian'], 'unknown command "trian"', commands, 'did you mean train?'],
    [['play', 'x'], 'unknown command "play"'],
    [['watch', 'nowhere'], 'no folder at "nowhere"'],
    [['watch', '--port', '70000'], '--port is "70000"', 'from 0 to 65535'],
    [['bench', 'sort'], 'bench is "sort"', 'rollout, learner, inference'],
    [['bench', '--rounds', '0'], '--rounds is "0"', 'from 1'],
    [['bench', '--batch', '30'], '--batch is "30"', 'a multiple of 20, such as 20'],
    [['bench', '--simd', 'huge'], 'simd is "huge"', 'baseline or wide'],
    [['bench', '--threads', '2,1'], '--threads is "2,1"', 'such as 1,2'],
    [['bench', '--env', './x.ts'], '--env is "./x.ts"', 'such as mamujoco/HalfCheetah-2x3'],
    [['bench', '--env', 'mamujoco/Hopper-9x9'], 'mamujoco/Hopper-9x9'],
    [['train'], 'env is missing', '--env'],
    [['train', '--env', 'x'], 'environment x: no such environment', 'mamujoco/HalfCheetah-2x3'],
    [['train', '--env', './x.ts'], 'environment ./x.ts: there is no file /'],
    [['train', '--env', 'npm:x'], 'environment npm:x: no package of that name is installed for /'],
    [['train', '--env', 'mamujoco/Hopper-9x9'], 'environment mamujoco/Hopper-9x9'],
    [['train', '--env', 'mamujoco/Hopper-3x1'], 'algo is missing', 'hatrpo, happo'],
    [[...train, '--sed', '3'], "'--sed'", '--seed'],
    [[...train, '--steps'], '--steps'],
    [[...train, 'extra'], 'too many arguments'],
    [['compare'], 'runs'],
    [['compare', 'nowhere'], 'there is no run at "nowhere"'],
    [['compare', '.'], '"." holds no run', 'config.json'],
    [['compare', '.', '--metric', 'reward'], '--metric is "reward"', 'evaluation or training'],
    [['compare', '.', '--at', '1e6'], '--at is "1e6"', 'a whole number'],
    [['compare', '.', '--share', '95'], '--share is "95"', 'such as 0.95'],
    [['compare', '.', '--line', 'mean'], '--line needs --svg or --html'],
    [['compare', '.', '--svg', 'a', '--line', 'median'], '--line is "median"', 'iqm or mean'],
    [['compare', '.', '--svg', 'a', '--x', 'hours'], '--x is "hours"', 'steps or time'],
    [['compare', '.', '--scale', 'none.json'], '--scale is "none.json"', '{"low": 0, "high": 1000}'],
    [['compare', '.', '--resamples', '7'], '--resamples is "7"', 'from 100'],
    [['compare', '.', '--svg', 'none/a.svg'], '"none/a.svg" cannot be written', 'no folder "none"'],
    [['compare', '.', '--html', '.'], '"." is a folder'],
    [['compare', '.', '--absolute', 'rerun'], '--absolute needs --marl-eval'],
    [['compare', '.', '--absolute', 'no', '--marl-eval', 'a'], '--absolute is "no"', 'rerun or recorded'],
    [['eval'], 'run|bundle'],
    [['eval', 'nowhere'], '"nowhere"'],
    [['eval', '.', '--episodes', '0'], '--episodes is "0"', 'from 1'],
    [['eval', '.', '--episodes', '1e3'], '--episodes is "1e3"'],
    [['eval', '.', '--seed', '-1'], '--seed is "-1"', 'from 0'],
    [['eval', '.', '--checkpoint', 'last'], '--checkpoint is "last"', 'latest, best'],
    [['eval', '.', '--workers', 'two'], '--workers is "two"'],
    [['export', 'nowhere'], '--out'],
    [['export', 'nowhere', '--out', 'x'], 'nowhere holds no run', 'config.json'],
    [['export', 'x', '--out', 'x', '--format', 'onnx'], '--format is "onnx"', 'wasm', 'not supported yet'],
    [['export', 'x', '--out', 'x', '--format', 'zip'], '--format is "zip"', 'must be wasm'],
    [['export', 'x', '--out', 'x', '--checkpoint', 'first'], '--checkpoint is "first"', 'latest, best'],
    [['render', 'x'], 'name what to write', '--out', '--trajectory'],
    [['render', 'nowhere', '--out', 'a.gif'], '"nowhere"'],
    [['render', '.', '--out', 'a.mp4'], 'out is "a.mp4"', '.gif, .png'],
    [['render', '.', '--out', 'a.gif', '--camera', 'sidd'], '--camera is "sidd"', 'did you mean side?'],
    [['render', '.', '--out', 'a.gif', '--camera', '65'], '--camera is "65"', 'AZIMUTH,ELEVATION'],
    [['render', '.', '--out', 'a.gif', '--size', '640'], '--size is "640"', '640x360'],
    [['render', '.', '--out', 'a.gif', '--size', '8x640'], '--size is "8"', 'from 16'],
    [['render', '.', '--out', 'a.gif', '--fps', '0'], '--fps is "0"', 'from 0.01'],
    [['render', '.', '--out', 'a.gif', '--seconds', 'all'], '--seconds is "all"'],
    [['render', '.', '--out', 'a.gif', '--checkpoint', 'first'], '--checkpoint is "first"', 'latest, best'],
    [['list'], 'what'],
    [['list', 'env'], 'list is "env"', 'did you mean envs?'],
    [['list', 'Presets'], 'list is "Presets"', 'did you mean presets?'],
    [['list', 'envs', 'algorithms'], 'too many arguments'],
    [['list', 'envs', '--jsno'], "'--jsno'", '--json'],
    [['list', '--json'], 'what'],
    [['list', 'envs', '--env', 'x'], "'--env'"],
    [['list', './envs'], 'list is "./envs"'],
    [['list', ''], 'list is ""'],
    [['lsit', 'envs'], 'unknown command "lsit"', 'did you mean list?'],
    [['list', 'robots'], 'list is "robots"', 'envs, algorithms, presets, devices'],
  ]
  assertAllRefused(cwd, wrong)
  // The process of the command itself.
  assertRefused(cwd, ['trian'], ['unknown command "trian"'])
  assert.deepEqual(readdirSync(cwd), [])
})

test('invalid values for train', (t) => {
  const cwd = temporaryDirectory(t)
  const outside = temporaryDirectory(t)
  const file = join(outside, 'config.json')
  const wrong: [args: string[], ...words: string[]][] = [
    [['--env', 'mamujoco/HalfCheetah-9x9'], 'mamujoco/HalfCheetah-9x9', 'mamujoco/HalfCheetah-2x3'],
    [['--env', 'cheetah'], 'cheetah', 'mamujoco/HalfCheetah-2x3'],
    [['--set', 'env.partition=half'], 'env.partition', 'half', 'graph'],
    [['--set', 'env.partitoin=graph'], 'env.partitoin', 'did you mean partition?'],
    [['--env', 'mpe/spread', '--set', 'actor.std=dependent'], 'actor.std is "dependent"', 'choose among'],
    [['--env', 'mpe/spread', '--seeds', '1-2', '--set', 'actor.stdX=2'], 'actor.stdX is 2', 'choose among'],
    [
      ['--set', 'evaluation.every=0', 'evaluation.episodes=5'],
      'evaluation.episodes is 5: evaluation.every is 0',
    ],
    [['--algo', 'mapo'], 'algo is "mapo"', 'hatrpo, happo'],
    [['--algo', 'policy-iteration'], 'has no tables: policy-iteration needs a finite game'],
    [['--steps', '0'], 'steps is 0', 'from 1'],
    [['--steps', '-5'], 'steps is -5'],
    [['--steps', 'lots'], 'steps is "lots"'],
    [['--seed', '0.5'], 'seed is 0.5', 'whole number'],
    [['--seed', '99999999999999999999'], 'seed is 100000000000000000000'],
    [['--seeds', '5-1'], '--seeds is "5-1"', '1-5'],
    [['--seeds', '1,1'], '--seeds is "1,1"', 'once'],
    [['--seeds', 'all'], '--seeds is "all"'],
    [['--seeds', '1-2', '--seed', '3'], '--seed is 3', '--seeds is 1-2'],
    [['--envs', '0'], 'envs is 0'],
    [['--workers', '1025'], '--workers is "1025"', 'from 0 to 1024'],
    [['--workers', '1.5'], '--workers is "1.5"'],
    [['--device', 'tpu'], 'device is "tpu"', 'one of wasm, '],
    [['--simd', '512'], 'simd is "512"', 'baseline or wide'],
    [['--preset', 'best'], '--preset is "best": it must be one of harl, paper, marllib'],
    [['--set', 'clipped.clip=0.1'], 'clipped.clip is 0.1: hatrpo never reads it', 'trustRegion.delta'],
    [['--set', 'trustRegion.dleta=1'], 'unknown key trustRegion.dleta', 'trustRegion.delta'],
    [['--set', 'delta'], '--set is "delta"', 'key=value'],
    [['--set', 'seed=2', 'gamma=2'], 'gamma is 2', 'from 0 to 1'],
    [['--config', 'none.json'], '--config is "none.json"', 'cannot be read'],
    [['--config', '.'], '--config is "."', 'it is a folder and cannot be read', 'a regular file, or -'],
    [['--config', '/dev/zero'], '--config is "/dev/zero"', 'it is a device and cannot be read'],
    [['--config', join(outside, 'pipe')], 'it is a pipe and cannot be read'],
    [['--config', join(outside, 'huge.json')], 'it must have at most 1048576 bytes'],
    [['--config', file], '--config is', 'it is not JSON'],
    [['--resume', 'nowhere', '--seed', '1'], '--env cannot be combined with --resume', 'config.json'],
  ]
  writeFileSync(file, '{"seed": 1,}')
  execFileSync('mkfifo', [join(outside, 'pipe')])
  writeFileSync(join(outside, 'huge.json'), ' '.repeat(1024 * 1024 + 1))
  assertAllRefused(
    cwd,
    wrong.map(([args, ...words]) => [[...train, ...args], ...words] as const),
  )
  assertRefused(cwd, ['train', '--resume', 'nowhere'], ['nowhere holds no run', 'config.json'])
  assertRefused(
    cwd,
    ['train', '--resume', 'nowhere', '--seeds', '1-3'],
    ['--seeds cannot be combined with --resume'],
  )
  assert.deepEqual(readdirSync(cwd), [])
})

test('invalid values for config', (t) => {
  const cwd = temporaryDirectory(t)
  const outside = temporaryDirectory(t)
  const file = (name: string, text: string) => {
    const path = join(outside, name)
    writeFileSync(path, text)
    return path
  }
  const list = file('list.json', '[1]')
  const cut = file('cut.json', '{"seed": 1')
  const typo = file('typo.json', '{"clipped": {"lrDeacy": true}}')
  const unread = file('unread.json', '{"clipped": {"lrDecay": true}}')
  const wrong: [args: string[], ...words: string[]][] = [
    [['--env', 'mamujoco/Hoper-3x1'], 'mamujoco/Hoper-3x1', 'did you mean mamujoco/Hopper-3x1?'],
    [['--env', 'Hopper-3x1'], 'environment Hopper-3x1', 'did you mean mamujoco/Hopper-3x1?'],
    [['--env', 'mamujco/Hopper-3x1'], 'did you mean mamujoco/Hopper-3x1?'],
    [['--env', 'mpe/spred'], 'did you mean mpe/spread?'],
    [['--env', './Hopper.ts'], 'there is no file /'],
    [['--algo', 'hatrop'], 'algo is "hatrop"', 'did you mean hatrpo?'],
    [['--preset', 'mapplib'], '--preset is "mapplib"', 'did you mean marllib?'],
    [['--device', 'wsam'], 'device is "wsam"', 'did you mean wasm?'],
    [['--stpes', '5'], "'--stpes'", '--steps'],
    [['--out', 'x'], "'--out'"],
    [['--steps', '1e7 steps'], 'steps is "1e7 steps"', 'a whole number'],
    [['--seed', '1', '--seed', 'two'], 'seed is "two"', 'a whole number'],
    [['--set', 'trustRegion.dleta=1'], 'did you mean trustRegion.delta?'],
    [['--set', 'trustRegoin.delta=1'], 'did you mean trustRegion.delta?'],
    [['--set', 'trustRegion.delta=0.01 nats'], 'trustRegion.delta is "0.01 nats"', 'a number above 0'],
    [['--set', 'truncation=bootstarp'], 'truncation is "bootstarp"', 'did you mean bootstrap?'],
    [['--set', 'env.versoin=v4'], 'env.versoin=v4', 'did you mean version?'],
    [['--set', 'actor.hidden=128,128'], 'actor.hidden is "128,128"', '[128,128]'],
    [['--set', 'clipped.lr=1'], 'clipped.lr is 1: hatrpo never reads it', 'trustRegion.delta'],
    [['--env', 'mpe/spread', '--set', 'actor.stdY=1'], 'actor.stdY is 1', 'mpe/spread choose among actions'],
    [['--config', 'none.json'], '--config is "none.json"', 'cannot be read'],
    [['--config', outside], '--config is', 'cannot be read'],
    [['--config', cut], '--config is', 'it is not JSON'],
    [['--config', list], 'must hold a JSON object'],
    [['--config', typo], 'unknown key clipped.lrDeacy', 'did you mean clipped.lrDecay?'],
    [['--config', unread], 'clipped.lrDecay is true: hatrpo never reads it'],
    [['Hopper'], 'too many arguments'],
  ]
  const task = ['config', '--env', 'mamujoco/HalfCheetah-2x3', '--algo', 'hatrpo']
  const without: [args: string[], ...words: string[]][] = [
    [['config'], 'env is missing', '--env'],
    [['config', '--env', 'mamujoco/Hopper-3x1'], 'algo is missing', '--algo'],
    [['config', '--env'], '--env'],
    [['cofnig'], 'did you mean config?'],
  ]
  assertAllRefused(cwd, [
    ...without,
    ...wrong.map(([args, ...words]) => [[...task, ...args], ...words] as const),
  ])
  assert.deepEqual(readdirSync(cwd), [])
})

test('mistakes in render, eval, export, watch and check-env', async (t) => {
  const { dir } = storedRun(t, 'mpe/spread', 'happo')
  const cwd = join(dir, '..')
  mkdirSync(join(cwd, 'full/frames'), { recursive: true })
  mkdirSync(join(cwd, 'empty'))
  const files = {
    'notes.txt': '',
    'robot.xml': '<mujoco/>',
    'team.py': 'def team(): pass',
    'number.mjs': 'export default 5',
    'named.mjs': 'export const team = () => 1',
    'syntax.ts': 'let x = ;',
    'lost.ts': "import './missing.js'",
    'game.json': '{"agents": 2, "payofs": [[1]]}',
    'cut.json': '{"agents": 2',
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text)
  const before = readdirSync(cwd)
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  const port = String((server.address() as AddressInfo).port)
  const gif = ['render', 'run', '--out', 'a.gif']
  const check = (...args: string[]) => ['check-env', ...args]
  const spread = (...set: string[]) => check('mpe/spread', '--set', ...set)
  const python = (...set: string[]) => check('pettingzoo:team.py:team', '--set', ...set)
  const wrong: [args: string[], ...words: string[]][] = [
    [['render', 'empty', '--out', 'a.gif'], 'empty contains neither a run', 'bundle.json'],
    [['render', 'notes.txt', '--out', 'a.gif'], 'notes.txt contains neither a run'],
    [['render', 'run', 'run', '--out', 'a.gif'], 'too many arguments'],
    [['render', 'run', '--ot', 'a.gif'], "'--ot'", '--out'],
    [['render', 'run', '--out', 'film'], 'out is "film"', '.gif, .png, or with /'],
    [['render', 'run', '--out', ''], 'out is ""'],
    [['render', 'run', '--out', 'none/a.gif'], 'cannot write "none/a.gif"', 'no folder none'],
    [['render', 'run', '--out', 'notes.txt/a.gif'], 'cannot write "notes.txt/a.gif": ENOTDIR'],
    [['render', 'run', '--out', '/proc/a.gif'], 'cannot write "/proc/a.gif": '],
    [['render', 'run', '--out', 'full/'], 'the folder is not empty (frames)'],
    [['render', 'run', '--trajectory', 'a.csv'], 'trajectory is "a.csv"', '.npz or .jsonl'],
    [['render', 'run', '--trajectory', 'none/a.npz'], 'no folder none'],
    [['render', 'run', '--trajectory', 'a.npz', '--size', '64x64'], '--size needs --out'],
    [[...gif, '--at', '1'], '--at needs', '--out is "a.gif"'],
    [[...gif, '--checkpoint', '7'], 'checkpoint is 7', 'run has 1, 2'],
    [[...gif, '--episodes', '0'], '--episodes is "0"', 'from 1'],
    [[...gif, '--seed', 'two'], '--seed is "two"', 'from 0'],
    [[...gif, '--workers', '2000'], '--workers is "2000"', 'from 0 to 1024'],
    [[...gif, '--size', '640x360px'], '--size is "640x360px"', 'such as 640x360'],
    [[...gif, '--env', 'mpe/tag'], 'env is mpe/tag', 'trained in mpe/spread'],
    [[...gif, '--env', './none.ts'], 'env is ./none.ts', 'trained in mpe/spread'],
    [['eval', 'run', '--out', ''], '"" cannot be written'],
    [['eval', 'run', '--out', 'none/a.json'], '"none/a.json" cannot be written', 'no folder "none"'],
    [['eval', 'run', '--out', 'empty'], '"empty" is a folder'],
    [['eval', 'run', '--env', 'mpe/tag'], 'env is mpe/tag', 'trained in mpe/spread'],
    [['export', 'run', '--out', ''], '--out is ""', 'a new or empty folder'],
    [['export', 'run', '--out', 'full'], '--out full is not empty (frames)'],
    [['export', 'run', '--out', 'x', '--checkpoint', '7'], 'checkpoint is 7', 'run has 1, 2'],
    [[...train, '--out', ''], '--out is ""', 'a new or empty folder'],
    [['compare', 'run', '--html', ''], '"" cannot be written'],
    [['watch', '--port', ''], '--port is ""', 'from 0 to 65535'],
    [['watch', '--port', '-1'], '--port is "-1"'],
    [['watch', '--port', '80.5'], '--port is "80.5"', 'a whole number'],
    [['watch', '--port', 'http'], '--port is "http"'],
    [['watch', '--port'], '--port', 'argument missing'],
    [['watch', 'run', '--port', port], `--port is ${port}: it is in use`, '0 for any that is free'],
    [['watch', '--host', '0.0.0.0'], "'--host'"],
    [['watch', '--prot', '7006'], "'--prot'", '--port'],
    [['watch', ''], 'no folder at ""'],
    [['watch', 'notes.txt'], '"notes.txt" is a file', 'a folder of runs'],
    [['watch', 'run/config.json'], 'is a file'],
    [['watch', 'run', 'none'], 'no folder at "none"'],
    [['wacth', 'run'], 'did you mean watch?'],
    [check(), 'id|file'],
    [check(''), 'no such environment'],
    [check('mpe/spred'), 'did you mean mpe/spread?'],
    [check('spread'), 'did you mean mpe/spread?'],
    [check('mpe/spread', 'mpe/tag'), 'too many arguments'],
    [check('--env', 'mpe/spread'), "'--env'"],
    [check('mpe/spread', '--episodes', '1e2'), '--episodes is "1e2"', 'from 1'],
    [check('mpe/spread', '--seed', '-1'), '--seed is "-1"', 'from 0'],
    [check('mpe/spread', '--seeds', '1'), "'--seeds'", '--seed'],
    [spread('agents'), '--set is "agents"', 'such as partition=graph'],
    [spread('agents=many'), 'env.agents=many', 'a whole number from 1'],
    [spread('agent=3'), 'env.agent=3', 'did you mean agents?'],
    [spread('id=mpe/tag'), '--set is "id=mpe/tag"'],
    [check('npm:none'), 'no package of that name'],
    [check('./none.ts'), 'there is no file /'],
    [check('./empty'), 'is not a file'],
    [check('empty'), 'environment empty: it is a folder: name a file in it'],
    [check('./notes.txt'), 'it ends in .txt', '.ts, .js or .json'],
    [check('robot.xml'), 'it is a model', 'mamujoco/custom --set env.model=robot.xml'],
    [check('./team.py'), 'it is a Python file', 'pettingzoo:./team.py:FACTORY'],
    [check('number.mjs'), 'its default export is number', '(options) => environment'],
    [check('named.mjs'), 'no default export (it exports team)'],
    [check('syntax.ts'), 'syntax.ts:1:9: Unexpected ";"'],
    [check('lost.ts'), 'there is no file ./missing.js'],
    [
      check('game.json'),
      'payofs: no such key; keys are name, agents, actions, states, start, timeLimit, payoffs',
    ],
    [check('cut.json'), 'cut.json:1:13: '],
    [check('pettingzoo:'), 'pettingzoo:MODULE:FACTORY', 'pettingzoo:FILE.py:FACTORY'],
    [python('kwargs={'), 'env.kwargs is "{"', '{"N": 3}'],
    [python('timeout=-1'), 'env.timeout is -1', 'seconds above 0'],
    [python('rewards=most'), 'env.rewards is "most"', 'sum, mean, each'],
    [python('python=none-such'), 'env.python is "none-such"', 'no such program'],
    [check('mamujoco/custom'), 'env.model is missing', 'an MJCF file'],
    [check('mamujoco/Hopper-3x1', '--set', 'version=v9'), 'env.version=v9', 'v2 or v4 or v5'],
  ]
  assertAllRefused(cwd, wrong)
  assert.deepEqual(readdirSync(cwd), before)
})

test('a folder made for --out is kept when training is refused', (t) => {
  const cwd = temporaryDirectory(t)
  const module = join(cwd, 'rivals.mjs')
  writeFileSync(
    module,
    `const numbers = () => new Float32Array(1)
const space = { kind: 'box', size: 1, low: [-1], high: [1] }
export default () => ({
  spec: { id: 'rivals', agents: ['a', 'b'].map((id) => ({ id, observation: space, action: space })), stateSize: 1, timeLimit: 9, mode: 'general' },
  observations: [numbers(), numbers()], state: numbers(), actions: [numbers(), numbers()], rewards: new Float32Array(2),
  reset() {}, step: () => 0, saveState: () => new Uint8Array(1), loadState() {},
})`,
  )
  mkdirSync(join(cwd, 'mine'))
  const command = ['train', '--env', module, '--algo', 'ppo']
  const places = [[], ['--out', 'mine'], ['--out', 'new']]
  for (const { code, stderr } of hatrpoEach(
    places.map((out) => [...command, ...out]),
    cwd,
  )) {
    assert.equal(code, 2, stderr)
    assert.match(stderr, /mode general/)
  }
  assert.deepEqual(readdirSync(cwd).sort(), ['mine', 'rivals.mjs'])
})

test('a damaged run folder, or a folder that cannot be made, is a failure of one line', (t) => {
  const { dir } = storedRun(t, 'mpe/spread', 'happo')
  const cwd = join(dir, '..')
  mkdirSync(join(cwd, 'broken'))
  writeFileSync(join(cwd, 'broken', 'config.json'), '{"seed":1')
  const damaged = [
    [['train', '--resume', 'broken'], 'config.json is damaged'],
    [['export', 'broken', '--out', 'x'], 'config.json is damaged'],
  ] as const
  const start = ['train', '--env', 'mpe/spread', '--algo', 'happo', '--out']
  const places = existsSync('/proc/self') ? ['/proc/none', '/proc/none/deeper'] : []
  const lost = [...places, 'run/config.json/x'].flatMap((out) => [
    [['export', 'run', '--out', out], `cannot write the bundle ${out}: E`] as const,
    [[...start, out], `cannot write ${out}: E`] as const,
  ])
  assertAllRefused(cwd, [...damaged, ...lost], 1)
  writeFileSync(join(cwd, 'broken', 'config.json'), '{"seed":1}')
  assertRefused(cwd, ['train', '--resume', 'broken'], ['config.json is damaged', 'missing'], 1)
})

test('--verbose adds the origin of an error', (t) => {
  const cwd = temporaryDirectory(t)
  const { stderr, code } = hatrpo([...train, '--steps', '0', '--verbose'], cwd)
  assert.equal(code, 2)
  assert.match(stderr, /^hatrpo: steps is 0[^\n]*\nHatrpoError: [^\n]*\n\s+at /)
})

test('a run that another process is writing is not resumed', (t) => {
  const dir = temporaryDirectory(t)
  const run = openRun(join(dir, 'run'), testConfig())
  t.after(() => run.close())
  const { stderr, code } = hatrpo(['train', '--resume', 'run'], dir)
  assert.match(stderr, new RegExp(`^hatrpo: run is in use by process ${process.pid} [^\n]*\n$`))
  assert.equal(code, 1)
})
