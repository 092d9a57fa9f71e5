import t from 'tap'
import * as errors from '../../lib/errors.js'
import { fromWire, toWire } from '../../lib/workers/wire.js'

t.test('Every class of error is rebuilt: class, code, message, details, cause, stack', async (t) => {
  const classes = Object.values(errors).filter((value) => typeof value === 'function')
  t.ok(classes.length > 10)
  for (const Class of classes) {
    const cause = new TypeError('below')
    const words = { cause, details: { file: 'a', count: 1 } }
    const sent =
      Class === errors.ShardDamageError
        ? new errors.ShardDamageError('shard-corrupt', 'what failed', words)
        : new (Class as typeof errors.KunStreamError)('what failed', words)
    const found = fromWire(structuredClone(toWire(sent)))
    t.ok(found instanceof Class, Class.name)
    t.match(found, { code: sent.code, message: 'what failed', details: { file: 'a', count: 1 }, stack: sent.stack })
    t.same({ ...found, cause: null }, { ...sent, cause: null }, 'every field')
    t.match(found.cause, { name: 'TypeError', message: 'below' })
  }
})

t.test('Errors of other libraries keep their name, and values that are not errors their text', async (t) => {
  t.match(fromWire(toWire(new RangeError('too far'))), { name: 'RangeError', message: 'too far' })
  t.match(fromWire(toWire('a string')), { name: 'Error', message: 'a string' })
  const circle = new Error('round')
  circle.cause = circle
  t.equal(fromWire(structuredClone(toWire(circle))).message, 'round')
})
