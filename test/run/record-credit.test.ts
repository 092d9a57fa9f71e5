import t from 'tap'
import { recordCredit, recordsPerRequest } from '../../lib/run/record-credit.js'

/** Servers whose limits the test sets. */
class Slots {
  count = 0
  #listener: () => void = () => undefined

  slots(): number {
    return this.count
  }

  onSlots(listener: () => void): void {
    this.#listener = listener
  }

  answered(): void {
    this.#listener()
  }
}

const signal = new AbortController().signal
const models = {
  one: { endpoints: ['http://a/v1', 'http://b/v1'], inFlightMax: 1000 },
  same: { endpoints: ['http://a/v1'], inFlightMax: 1000 },
}

t.test('no more records are in flight than keep the slots busy that the servers have now', async (t) => {
  const servers = new Slots()
  const credit = recordCredit(models, servers)
  t.equal(credit.capacity, recordsPerRequest * 2000, 'two servers, one of them shared')
  const least = recordsPerRequest * 64
  t.ok(credit.tryTake(least))
  t.notOk(credit.tryTake(1), 'cold servers are given what 64 slots need')
  let isAdmitted = false
  const waiting = credit.take(1, signal).then(() => {
    isAdmitted = true
  })
  servers.count = 65
  await Promise.resolve()
  t.notOk(isAdmitted)
  servers.answered()
  await waiting
  t.equal(credit.inUse, least + 1, 'a record that waits is admitted when the limits have grown, before any is released')
  t.ok(credit.tryTake(recordsPerRequest - 1))
  t.notOk(credit.tryTake(1))
  servers.count = 2
  credit.give(recordsPerRequest)
  t.notOk(credit.tryTake(1), 'a lower limit takes effect as records are released')
  credit.give(1)
  t.ok(credit.tryTake(1))
})

t.test('the end of a limit of rows counts more than the slots', (t) => {
  const servers = new Slots()
  servers.count = 2000
  const credit = recordCredit(models, servers)
  credit.limitTo(3)
  t.same(
    [1, 2, 3, 4].map(() => credit.tryTake(1)),
    [true, true, true, false],
  )
  t.end()
})
