/** What every object store must do, as tests over a store that the caller opens. */
import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { ObjectStore } from '../../lib/objects/object-store.js'

export const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString('utf8')

export async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const key of store.list(prefix)) keys.push(key)
  return keys
}

/** An object that says who wrote it, long enough to be torn: several pages. */
export function claim(round: number, writer: string): Buffer {
  return Buffer.from(`${JSON.stringify({ round, writer })}\n`.repeat(200))
}

/** Adds the tests of the contract. `open` returns another client of the same, empty store each time. */
export function contract(t: Test, open: () => Promise<ObjectStore>): void {
  t.test('an object is written once, read, described, and removed', async (t) => {
    const store = await open()
    t.equal(await store.get('a/b.json'), null)
    t.equal(await store.head('a/b.json'), null)
    t.equal(await store.putIfAbsent('a/b.json', Buffer.from('one')), true)
    t.equal(await store.putIfAbsent('a/b.json', Buffer.from('two')), false)
    t.equal(text(await store.get('a/b.json')), 'one')
    t.same(await store.head('a/b.json'), { bytes: 3 })
    await store.put('a/b.json', Buffer.from('three'))
    await store.put('a/empty', new Uint8Array())
    t.equal(text(await store.get('a/b.json')), 'three')
    t.equal(text(await store.get('a/empty')), '')
    t.equal(await store.get('a'), null, 'a folder is not an object')
    t.equal(await store.head('a'), null)
    t.equal(await store.get('a/b.json/c'), null, 'an object is not a folder')
    await store.remove('a/b.json')
    await store.remove('a/b.json')
    await store.remove('a/b/c')
    t.equal(await store.get('a/b.json'), null)
    t.equal(await store.putIfAbsent('a/b.json', Buffer.from('again')), true)
    await store.close()
  })

  t.test('a range of an object is read, and ends with it', async (t) => {
    const store = await open()
    await store.put('r/a', Buffer.from('0123456789'))
    await store.put('r/empty', new Uint8Array())
    t.equal(text(await store.getRange('r/a', 0, 4)), '0123')
    t.equal(text(await store.getRange('r/a', 3, 1)), '3')
    t.equal(text(await store.getRange('r/a', 8, 100)), '89')
    t.equal(text(await store.getRange('r/a', 10, 5)), '')
    t.equal(text(await store.getRange('r/a', 99, 5)), '')
    t.equal(text(await store.getRange('r/a', 2, 0)), '')
    t.equal(text(await store.getRange('r/empty', 0, 5)), '')
    t.equal(await store.getRange('r/none', 0, 5), null)
    await store.close()
  })

  t.test('keys are listed by prefix, in the order of their code units, without temporary files', async (t) => {
    const store = await open()
    const keys = ['l/a', 'l/a-b/x', 'l/a.b', 'l/a/1', 'l/a0', 'l/ab/x', 'l/b/y', 'l/b/z'].filter((key) => key !== 'l/a')
    for (const key of keys.toReversed()) await store.put(key, Buffer.from(key))
    t.same(await keysOf(store, 'l/'), keys)
    t.same(await keysOf(store, 'l/a'), keys.slice(0, 5))
    t.same(await keysOf(store, 'l/b/'), ['l/b/y', 'l/b/z'])
    t.same(await keysOf(store, 'l/b/z'), ['l/b/z'])
    t.same(await keysOf(store, 'none/'), [])
    await store.close()
  })

  t.test('a key that could leave the store, or that no file can have, is refused', async (t) => {
    const store = await open()
    for (const key of [
      '',
      '/a',
      'a/',
      'a//b',
      '../a',
      'a/./b',
      'a b',
      'a\\b',
      'ä',
      'x'.repeat(201),
      'a/'.repeat(600),
    ]) {
      await t.rejects(store.get(key), { code: 'KUN_CONTRACT' })
      await t.rejects(store.putIfAbsent(key, Buffer.from('x')), { code: 'KUN_CONTRACT' })
    }
    await store.close()
  })

  t.test('files are copied in and out whole, over what was there', async (t) => {
    const store = await open()
    const directory = t.testdir()
    const bytes = Buffer.alloc(3_333_333, 'kun-stream ')
    writeFileSync(join(directory, 'in'), bytes)
    await store.putFile('f/big', join(directory, 'in'))
    t.same(await store.head('f/big'), { bytes: bytes.length })
    t.equal(await store.getFile('f/big', join(directory, 'new/out')), true)
    t.ok((await readFile(join(directory, 'new/out'))).equals(bytes))
    writeFileSync(join(directory, 'in'), 'short')
    await store.putFile('f/big', join(directory, 'in'))
    t.equal(await store.getFile('f/big', join(directory, 'new/out')), true)
    t.equal(await readFile(join(directory, 'new/out'), 'utf8'), 'short')
    t.equal(await store.getFile('f/none', join(directory, 'none')), false)
    t.equal(await readFile(join(directory, 'none')).catch(({ code }) => code), 'ENOENT')
    await store.close()
  })
}

/** 16 clients write each key concurrently, with readers beside them: one winner, and only whole objects are seen. */
export async function race(t: Test, stores: readonly ObjectStore[], rounds: number): Promise<void> {
  let wrong = 0
  for (let round = 0; round < rounds; round++) {
    const key = `race/${round % 10}/${round}.json`
    const [reader] = stores as [ObjectStore]
    const early = reader.get(key)
    const won = await Promise.all(stores.map((store, writer) => store.putIfAbsent(key, claim(round, `w${writer}`))))
    const winners = won.flatMap((each, writer) => (each ? [writer] : []))
    const expected = claim(round, `w${winners[0]}`)
    const found = await reader.get(key)
    const before = await early
    const whole = found !== null && expected.equals(found) && (before === null || expected.equals(before))
    if (winners.length === 1 && whole) continue
    wrong++
    t.fail(`round ${round}: winners ${winners.join(' ')}, found ${text(found)?.slice(0, 40)}`)
  }
  t.equal(wrong, 0, `${rounds} rounds with ${stores.length} writers`)
}
