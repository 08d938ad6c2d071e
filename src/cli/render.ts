import { existsSync } from 'node:fs'
import { Command } from 'commander'
import type { View } from '../envs/scene.js'
import { usageError } from '../errors.js'
import { nearestName } from '../text/nearest.js'
import { checkpointFlag, episodeCount, wholeFlag } from './numbers.js'

interface RenderFlags {
  out?: string
  trajectory?: string
  episodes: string
  seed: string
  checkpoint?: string
  env?: string
  camera?: string
  size: string
  seconds: string
  fps: string
  at?: string
  workers?: string
  json?: boolean
  verbose?: boolean
}

/** Directions of the camera by name. Robots that walk do so along x. */
const CAMERAS: Readonly<Record<string, View>> = {
  side: { azimuth: 90, elevation: 8 },
  front: { azimuth: 180, elevation: 14 },
  back: { azimuth: 0, elevation: 18 },
  above: { azimuth: 90, elevation: 55 },
  top: { azimuth: 90, elevation: 90 },
}

function numberFlag(flag: string, text: string, least: number, most: number): number {
  const value = text.trim() === '' ? NaN : Number(text)
  if (!(value >= least && value <= most))
    throw usageError(`${flag} is ${JSON.stringify(text)}: it must be a number from ${least} to ${most}`)
  return value
}

function parseCamera(text: string): View {
  if (Object.hasOwn(CAMERAS, text)) return CAMERAS[text]
  const [azimuth, elevation, ...others] = text
    .split(',')
    .map((part) => (part.trim() === '' ? NaN : Number(part)))
  if (others.length === 0 && Math.abs(azimuth) <= 360 && elevation >= 0 && elevation <= 90)
    return { azimuth, elevation }
  const names = Object.keys(CAMERAS)
  const meant = nearestName(text, names)
  const hint = meant === undefined ? '' : `: did you mean ${meant}?`
  throw usageError(
    `--camera is ${JSON.stringify(text)}: it must be ${names.join(', ')}, or degrees AZIMUTH,ELEVATION such as 65,16${hint}`,
  )
}

function parseSize(text: string): { width: number; height: number } {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(text) ?? []
  if (width === undefined)
    throw usageError(`--size is ${JSON.stringify(text)}: it must be WIDTHxHEIGHT in pixels, such as 640x360`)
  return { width: wholeFlag('--size', width, 16, 4096), height: wholeFlag('--size', height, 16, 4096) }
}

/** Flags that only pictures depend on. */
const OF_PICTURES = ['camera', 'size', 'seconds', 'fps', 'at', 'workers']

/** @param given names of the flags that the user gave */
function parseFlags(flags: RenderFlags, given: readonly string[]) {
  const { out, trajectory, checkpoint, env, camera, at, workers } = flags
  if (out === undefined && trajectory === undefined)
    throw usageError('name what to write: --out FILE for pictures, --trajectory FILE for numbers, or both')
  const unread = given.find((name) => out === undefined && OF_PICTURES.includes(name))
  if (unread !== undefined) throw usageError(`--${unread} needs --out, which draws pictures`)
  if (at !== undefined && !/\.png$/i.test(out!))
    throw usageError(
      `--at needs an --out of a single picture, such as moment.png: --out is ${JSON.stringify(out)}`,
    )
  return {
    ...(out !== undefined && { out }),
    ...(trajectory !== undefined && { trajectory }),
    episodes: wholeFlag('--episodes', flags.episodes, 1, 1_000_000),
    seed: wholeFlag('--seed', flags.seed, 0, Number.MAX_SAFE_INTEGER),
    ...(checkpoint !== undefined && { checkpoint: checkpointFlag(checkpoint) }),
    ...(env !== undefined && { env }),
    ...(camera !== undefined && { view: parseCamera(camera) }),
    ...parseSize(flags.size),
    seconds: numberFlag('--seconds', flags.seconds, 0, 1e6),
    fps: numberFlag('--fps', flags.fps, 0.01, 100),
    ...(at !== undefined && { at: numberFlag('--at', at, 0, 1e6) }),
    ...(workers !== undefined && { workers: wholeFlag('--workers', workers, 0, 1024) }),
  }
}

export function renderCommand(): Command {
  return new Command('render')
    .description('Draw the team with deterministic actions as a GIF, a picture or frames of a video.')
    .argument('<run|bundle>', 'a run folder or an exported bundle')
    .option('--out <file>', 'film.gif, picture.png, or frames/ for a picture of every moment')
    .option('--trajectory <file>', 'recorded observations and actions: .npz or .jsonl')
    .option('--episodes <n>', 'episodes to run', '1')
    .option('--seed <n>', 'seed of the episodes', '1')
    .option('--checkpoint <which>', 'checkpoint of a run: latest, best or an iteration (default: latest)')
    .option(
      '--env <file|package>',
      'present location of the environment; its code must be that of the training',
    )
    .option('--camera <view>', `${Object.keys(CAMERAS).join(', ')}, or degrees AZIMUTH,ELEVATION`)
    .option('--size <size>', 'pixels', '640x360')
    .option('--seconds <s>', 'simulated seconds of each episode to draw', '10')
    .option('--fps <n>', 'largest number of pictures per second', '25')
    .option('--at <s>', 'simulated time of a .png, in seconds (default: the middle)')
    .option('--workers <n>', 'threads that draw; 0: only the main thread')
    .option('--json', 'print everything as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  hatrpo render runs/HalfCheetah-2x3-hatrpo-s1 --out cheetah.gif --camera side',
    )
    .action(async (source: string, flags: RenderFlags, command: Command) => {
      const given = Object.keys(flags).filter((name) => command.getOptionValueSource(name) === 'cli')
      const options = parseFlags(flags, given)
      if (!existsSync(source)) throw usageError(`there is no run or bundle at ${JSON.stringify(source)}`)
      const { render } = await import('../training/render.js')
      const { stderr } = process
      const onPicture = (done: number, count: number) => {
        if (stderr.isTTY) stderr.write(`\rpicture ${done} of ${count}${done === count ? '\n' : ''}`)
      }
      const onEvent = (message: string) => void stderr.write(`${message}\n`)
      const result = await render({ source, ...options, onPicture, onEvent })
      if (flags.json) return void process.stdout.write(`${JSON.stringify(result)}\n`)
      for (const { path, bytes, pictures, rate } of result.files) {
        const count =
          pictures === undefined ? '' : `${pictures === 1 ? '1 picture' : `${pictures} pictures`}, `
        const video = rate === undefined ? '' : `, ${Number(rate.toFixed(3))} a second`
        process.stdout.write(`${path}: ${count}${bytes} bytes${video}\n`)
      }
      const { env, mean, sd, returns } = result
      const episodes = episodeCount(returns.length)
      process.stdout.write(`${env}: return ${mean.toFixed(1)} +- ${sd.toFixed(1)} over ${episodes}\n`)
    })
}
