/** The address of a queue, and what is missing when it cannot be used. */
import t from 'tap'
import { processSecrets } from '../../lib/core/redaction.js'
import { loadQueuePackages } from '../../lib/queue/packages.js'
import { readQueueAddress } from '../../lib/queue/queue-address.js'

t.test('an address gives host, port, database, user, password and TLS', async (t) => {
  t.match(await readQueueAddress({ queue: 'redis://queue.example' }), {
    label: 'redis://queue.example:6379/0',
    host: 'queue.example',
    port: 6379,
    database: 0,
    tls: undefined,
  })
  const address = await readQueueAddress({ queue: 'env:Q' }, { Q: 'rediss://kun:p%40ss%3Aword@[::1]:7000/2\n' })
  t.strictSame(address, {
    label: 'rediss://[::1]:7000/2',
    host: '::1',
    port: 7000,
    database: 2,
    username: 'kun',
    password: 'p@ss:word',
    tls: {},
  })
  t.equal(processSecrets.text('refused p@ss:word'), 'refused ***')
})

t.test('certificate authorities are read from a file, for TLS only', async (t) => {
  const folder = t.testdir({ 'ca.pem': 'authorities' })
  const { tls } = await readQueueAddress({ queue: 'rediss://queue.example', caFile: `${folder}/ca.pem` })
  t.strictSame(tls, { servername: 'queue.example', ca: 'authorities' })
  await t.rejects(readQueueAddress({ queue: 'redis://a', caFile: `${folder}/ca.pem` }), { code: 'KUN_USAGE' })
  await t.rejects(readQueueAddress({ queue: 'rediss://a', caFile: `${folder}/no.pem` }), /no\.pem/)
})

t.test('a wrong address is refused without repeating it', async (t) => {
  const wrong = [
    '',
    'queue.example:6379',
    'http://queue.example',
    'redis://',
    'redis://kun:topsecret@/0',
    'redis://a/b',
  ]
  for (const queue of [...wrong, 'redis://kun:topsecret@a?b=c', 'redis://kun:topsecret@host:99999']) {
    const error = await readQueueAddress({ queue }).catch((refused: Error) => refused)
    t.match(error, { code: 'KUN_USAGE' }, 'it is refused')
    t.notMatch(String((error as Error).message), 'topsecret')
  }
  await t.rejects(readQueueAddress({ queue: 'env:NOT_SET' }, {}), /NOT_SET is not set/)
})

t.test('a missing package is named with the command that installs it', async (t) => {
  const missing = Object.assign(new Error('missing'), { code: 'ERR_MODULE_NOT_FOUND' })
  await t.rejects(
    loadQueuePackages(() => Promise.reject(missing)),
    {
      code: 'KUN_USAGE',
      message: /npm install bullmq ioredis/,
    },
  )
})
