/** A shard of more than a terabyte, simulated: its bytes are computed from their offset, so that only what is read costs anything. */
import t from 'tap'
import { blocks, type Shard, type SourceBlock, type SourceCursor } from '../../lib/sources/index.js'
import { collect, records, smallBlocks } from './support.js'

/** Bytes of each line: number k of the shard is at k times that. */
const lineBytes = 64
const lineAt = (number: number): Buffer => {
  const line = Buffer.alloc(lineBytes, ' ')
  line.write(`{"text":"第${number}行的正文。"}`)
  line[lineBytes - 1] = 10
  return line
}

/** `lines` lines, and the offsets at which it was opened and how far it was read. */
function largeShard(lines: number): Shard & { readonly opened: number[] } {
  const sizeBytes = lines * lineBytes
  const opened: number[] = []
  const bytesOf = (offset: number, end: number): Buffer => {
    const first = Math.floor(offset / lineBytes)
    const count = Math.ceil(end / lineBytes) - first
    const whole = Buffer.concat(Array.from({ length: count }, (_, i) => lineAt(first + i)))
    return whole.subarray(offset - first * lineBytes, end - first * lineBytes)
  }
  return {
    split: 'test',
    path: 'large.jsonl',
    sizeBytes,
    version: 'simulated',
    mapping: { text: 'text' },
    opened,
    async *open(offset) {
      opened.push(offset)
      for (let at = offset; at < sizeBytes; at += 1000) yield bytesOf(at, Math.min(sizeBytes, at + 1000))
    },
    read: async (offset, length) => bytesOf(offset, offset + length),
  }
}

const cursorAt = (offset: number): SourceCursor => ({
  ...{ block: 5, nextShard: 1, turn: 0 },
  open: [{ shard: 0, path: 'large.jsonl', at: { codec: 'plain', text: { layout: 'lines', offset } } }],
})

const textAt = (offset: number): string =>
  lineAt(offset / lineBytes)
    .toString('utf8')
    .slice(0, -1)

t.test('a shard is read from a place past a terabyte on, and resumes from each of its cursors', async (t) => {
  const [from, lines] = [2 ** 40, 100]
  const shard = largeShard(from / lineBytes + lines)
  const all = await collect([shard], {}, cursorAt(from))
  t.strictSame(shard.opened, [from], 'nothing before it is read')
  const offsets = all.map(({ block }) => block.offset)
  t.equal(offsets[0], from)
  t.strictSame(
    all.flatMap(records),
    Array.from({ length: lines }, (_, i) => textAt(from + i * lineBytes)),
  )
  for (const [index, { block, cursor }] of all.entries()) {
    t.equal(records(all[index] as SourceBlock)[0], textAt(block.offset))
    const rest = await collect([shard], {}, JSON.parse(JSON.stringify(cursor)))
    t.strictSame(
      rest.map((each) => each.block.offset),
      offsets.slice(index + 1),
    )
  }
})

t.test('offsets continue across 4 GiB', async (t) => {
  const from = 2 ** 32 - 10 * lineBytes
  const shard = largeShard(2 ** 40 / lineBytes)
  const offsets: number[] = []
  for await (const { block, cursor } of blocks([shard], smallBlocks, cursorAt(from))) {
    offsets.push(block.offset)
    t.match(cursor.open, cursorAt(block.offset + block.bytes.byteLength).open)
    if (block.offset > 2 ** 32 + 10 * lineBytes) break
  }
  t.equal(offsets[0], from)
  t.ok(offsets.length > 3)
  for (const [i, offset] of offsets.entries()) t.equal(offset % lineBytes, 0, `block ${i}`)
})
