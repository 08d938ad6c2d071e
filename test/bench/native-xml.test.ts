import assert from 'node:assert/strict'
import test from 'node:test'
import { publishedXml } from '../../bench/native/xml.js'
import { pusherXml } from '../../src/envs/mamujoco/pusher.js'
import { reacherXml } from '../../src/envs/mamujoco/reacher.js'

/** The first tag of a kind. */
const tag = (xml: string, name: string) => new RegExp(`<${name}\\b[^>]*>`).exec(xml)?.[0]

test('for libmujoco 2, options of MuJoCo 3 in Pusher have their older names or are omitted', () => {
  const xml = pusherXml(false)
  assert.match(tag(xml, 'option')!, / ccd_iterations="50"/)
  assert.equal(tag(xml, 'flag'), '<flag nativeccd="disable" multiccd="disable"/>')
  const published = publishedXml(xml)
  assert.equal(tag(published, 'option'), tag(xml, 'option')!.replace('ccd_iterations', 'mpr_iterations'))
  assert.equal(tag(published, 'flag'), '<flag multiccd="disable"/>')
  assert.equal(tag(published, 'size'), undefined)
  assert.doesNotMatch(published, / (ccd_\w+|nativeccd|memory)=/)
})

test('for libmujoco 2, margins are doubled and all else is unchanged', () => {
  const xml = reacherXml()
  assert.equal(publishedXml(xml), xml.replace(/<size [^>]*>/, ''))
  assert.equal(publishedXml('<geom margin="0.001" size="1"/>'), '<geom margin="0.002" size="1"/>')
})

test('a document that enables native collision detection has no older form', () => {
  assert.throws(
    () => publishedXml('<flag nativeccd="enable"/>'),
    /libmujoco 2 has no native collision detection/,
  )
})
