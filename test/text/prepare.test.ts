import t from 'tap'
import { textAt } from '../../lib/text/batch.js'
import { createPreparer, prepareBlock } from '../../lib/text/prepare.js'
import { accountingFaults, article, blockOf, jsonl, planOf } from './support.js'

t.test('Every document of a block ends in chunks or in one reject with its reason, place and excerpt', async (t) => {
  const preparer = await createPreparer(await planOf({}, { permutations: 8 }))
  const block = blockOf(jsonl([{ id: 'a', text: article(1) }, { id: 'b' }, { id: 'c', text: '短' }]), { offset: 1000 })
  const prepared = prepareBlock(block, preparer)
  t.same(accountingFaults(prepared), [])
  t.equal(textAt(prepared.chunks.text, 0), article(1))
  t.match(prepared.rejects, [
    { document: 1, chunk: null, key: 'b', stage: 'decode', reason: 'no-text', detail: 'field "text" is missing' },
    { document: 2, chunk: null, key: 'c', stage: 'filter', reason: 'too-short', excerpt: '短' },
  ])
  t.equal(prepared.rejects[0]?.offset, 1000 + jsonl([{ id: 'a', text: article(1) }]).length)
})
