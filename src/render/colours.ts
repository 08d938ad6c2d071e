import type { Vector } from './vector.js'

/** Of agents 0, 1, ..., as sRGB; further agents begin again. */
const AGENTS = [
  '#2f6fdf',
  '#f08327',
  '#23a36f',
  '#d63d5b',
  '#8b5bd3',
  '#e6b91a',
  '#17a9c4',
  '#e576b2',
  '#7d9c2c',
  '#9a5b3c',
  '#27408f',
  '#f2a68c',
  '#0c6e62',
  '#8e2a6b',
  '#a9b8ee',
  '#6a6f7d',
  '#b8d17c',
  '#5a2fa0',
  '#c98a1b',
  '#6cc7b5',
] as const

/** Colours of parts that no agent drives: of a robot and of the world, and of other things that move. */
export const ROBOT = '#cdd3db'
export const THING = '#4b5666'

export const AGENT_COLOURS = AGENTS.length

export function agentColour(agent: number): string {
  return AGENTS[agent % AGENTS.length]
}

/** #rrggbb to linear light, each from 0 to 1. */
export function linear(colour: string): Vector {
  const channel = (at: number) => toLinear(Number.parseInt(colour.slice(at, at + 2), 16) / 255)
  return [channel(1), channel(3), channel(5)]
}

/** Linear light of an sRGB value, both from 0 to 1. */
function toLinear(x: number): number {
  if (x <= 0.04045) return x / 12.92
  // y^2.4 is the fifth root of y^12, which Newton's method finds with the same bits on every engine.
  const y = (x + 0.055) / 1.055
  const cube = y * y * y
  const power = cube * cube * cube * cube
  let root = 1
  for (let i = 0; i < 60; i++) root = (4 * root + power / (root * root * root * root)) / 5
  return root
}

const STEPS = 16384
/** Byte of sRGB for linear light from 0 to 1, in equal steps. */
const BYTES = new Uint8Array(STEPS + 1)
for (let value = 1; value < 256; value++) BYTES.fill(value, Math.ceil(STEPS * toLinear((value - 0.5) / 255)))

/** Linear light to a byte of sRGB. */
export function byte(x: number): number {
  return BYTES[x >= 1 ? STEPS : x > 0 ? (x * STEPS) | 0 : 0]
}
