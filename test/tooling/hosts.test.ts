import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import test from 'node:test'
import { findHosts } from '../hosts/find.js'

const { node26, bun, deno } = findHosts()

const engine = 'console.log(JSON.stringify([process.versions.node.split(".")[0], typeof Bun]))'

test('the Node of test/hosts is Node 26', { skip: node26.missing }, () => {
  const { stdout } = spawnSync(node26.path, ['-e', engine], { encoding: 'utf8' })
  assert.deepEqual(JSON.parse(stdout), ['26', 'undefined'])
})

test('the Bun of test/hosts is Bun', { skip: bun.missing }, () => {
  const { stdout } = spawnSync(bun.path, ['-e', engine], { encoding: 'utf8' })
  assert.equal((JSON.parse(stdout) as string[])[1], 'object')
})

test('the Deno of test/hosts is Deno', { skip: deno.missing }, () => {
  const { stdout } = spawnSync(deno.path, ['eval', 'console.log(typeof Deno.version)'], { encoding: 'utf8' })
  assert.equal(stdout.trim(), 'object')
})
