import { compress, init } from '@bokuweb/zstd-wasm'
import t from 'tap'
import xxhash from 'xxhash-wasm'
import type { BlocksOptions } from '../../lib/sources/index.js'
import { collect, documents, memoryShard, records } from './support.js'

const seed = Number(process.env.KUN_SEED ?? 20240607)
t.comment(`seed ${seed}`)
const { h64Raw } = await xxhash()

const descriptorOfChecksum = 4
const windowOf1MiB = 0x50
const blockBytes = 100_000

/** A frame of raw blocks, which any content decodes from: its checksum alone tells a wrong one. */
function frame(content: Buffer, hasChecksum: boolean): Buffer {
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, hasChecksum ? descriptorOfChecksum : 0, windowOf1MiB])]
  for (let at = 0; at < content.length; at += blockBytes) {
    const block = content.subarray(at, at + blockBytes)
    const header = Buffer.alloc(3)
    header.writeUIntLE((block.length << 3) | (at + blockBytes < content.length ? 0 : 1), 0, 3)
    parts.push(header, block)
  }
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32LE(Number(h64Raw(content) & 0xffffffffn))
  return Buffer.concat(hasChecksum ? [...parts, checksum] : parts)
}

function skippable(bytes: number): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32LE(0x184d2a50, 0)
  head.writeUInt32LE(bytes, 4)
  return Buffer.concat([head, Buffer.alloc(bytes, 0xff)])
}

function flipped(bytes: Buffer, at: number): Buffer {
  const wrong = Buffer.from(bytes)
  wrong[at] = (wrong[at] as number) ^ 1
  return wrong
}

async function read(content: Buffer, chunkBytesMax = 1e6, options: Partial<BlocksOptions> = {}) {
  const blocks = await collect([memoryShard('a.jsonl.zst', content, seed, chunkBytesMax)], options)
  return {
    found: blocks.flatMap((each) => records(each)),
    refused: blocks.flatMap(({ block }) => block.rejected.map(({ reason, detail }) => [reason, detail])),
  }
}

const lines = (text: string): string[] => text.trimEnd().split('\n')
const wrongChecksum = [['shard-corrupt', 'zstd: the content of the frame is not that of its checksum']]

/** `{"text":"一"}` and a newline by `zstd --check`, from a file and from a pipe. */
const singleSegment = 'KLUv/SQPeQAAeyJ0ZXh0Ijoi5LiAIn0KOgth3A=='
const withWindow = 'KLUv/QRYeQAAeyJ0ZXh0Ijoi5LiAIn0KOgth3A=='

t.test('a frame of the zstd command is whole with its checksum, and corrupt with a wrong bit in it', async (t) => {
  for (const base64 of [singleSegment, withWindow]) {
    const bytes = Buffer.from(base64, 'base64')
    t.strictSame(await read(bytes), { found: ['{"text":"一"}'], refused: [] })
    t.strictSame(await read(flipped(bytes, bytes.length - 1)), { found: ['{"text":"一"}'], refused: wrongChecksum })
  }
})

t.test(
  'a wrong bit in a content that decodes all the same is damage, behind all the records of its frame',
  async (t) => {
    const text = Buffer.from(`${documents(3000, seed).join('\n')}\n`)
    const bytes = frame(text, true)
    for (const at of [text.indexOf('"id":1') + 5, text.lastIndexOf('"id":') + 5]) {
      const headBytes = 6 + 3 * (1 + Math.floor(at / blockBytes))
      for (const chunkBytesMax of [1e6, 5000]) {
        const { found, refused } = await read(flipped(bytes, headBytes + at), chunkBytesMax)
        t.strictSame(found, lines(flipped(text, at).toString()), `a wrong bit at ${at}, chunks of ${chunkBytesMax}`)
        t.strictSame(refused, wrongChecksum)
      }
    }
  },
)

t.test('a checksum is compared wherever slices divide it, in a frame of a few bytes too', async (t) => {
  const sliceBytes = 64 * 1024
  const other = '{"text":"another frame"}'
  const behind = frame(Buffer.from(`${other}\n`), false)
  for (const frameBytes of [15, 17, 18, 21, 22, ...[0, 1, 2, 3, 4, 5].map((over) => sliceBytes + over)]) {
    const text = Buffer.alloc(frameBytes - 13, `${'1'.repeat(900)}\n`)
    text[text.length - 1] = 10
    const bytes = frame(text, true)
    t.equal(bytes.length, frameBytes)
    const found = lines(text.toString())
    t.strictSame(await read(bytes), { found, refused: [] }, `${frameBytes} bytes`)
    t.strictSame(await read(Buffer.concat([bytes, behind])), { found: [...found, other], refused: [] })
    for (const place of [1, 4]) {
      const wrong = flipped(bytes, frameBytes - place)
      t.strictSame(await read(Buffer.concat([wrong, behind])), { found, refused: wrongChecksum })
    }
    t.match((await read(bytes.subarray(0, -1))).refused, [['shard-truncated']])
  }
})

t.test('frames with and without a checksum, and skippable ones, stand in one shard in any order', async (t) => {
  const texts = documents(40, seed).map((text) => `${text}\n`)
  const [first, second] = [Buffer.from(texts.slice(0, 20).join('')), Buffer.from(texts.slice(20).join(''))]
  for (const [one, other] of [
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    const content = Buffer.concat([skippable(7), frame(first, one), skippable(0), frame(second, other), skippable(3)])
    for (const chunkBytesMax of [1e6, 3]) {
      t.strictSame(await read(content, chunkBytesMax), { found: lines(texts.join('')), refused: [] })
    }
  }
})

/** `{"text":"一"}` and a newline by `zstd --long=31 --ultra` from a pipe, and by `zstd -D` with a trained dictionary. */
const windowOf2GiB = 'KLUv/QSoeQAAeyJ0ZXh0Ijoi5LiAIn0KOgth3A=='
const withDictionary = 'KLUv/QdYsSPeamUAADDkuIAifQoBAFRMIDoLYdw='

t.test(
  'a frame of zstd --long=31 is one reject that names the option, and read once the option allows it',
  async (t) => {
    const bytes = Buffer.from(windowOf2GiB, 'base64')
    t.strictSame(await read(bytes), {
      found: [],
      refused: [
        [
          'shard-unsupported',
          'zstd: the frame needs a window of 2147483648 bytes, read.zstdWindowBytesMax is 134217728; raise it or decompress the shard',
        ],
      ],
    })
    const options = { zstdWindowBytesMax: 2 ** 31 }
    const before = process.memoryUsage().rss
    t.strictSame(await read(bytes, 7, options), { found: ['{"text":"一"}'], refused: [] })
    t.ok(process.memoryUsage().rss - before < 2 ** 28, 'a small content does not fill its window')
    t.strictSame(await read(flipped(bytes, bytes.length - 1), 7, options), {
      found: ['{"text":"一"}'],
      refused: wrongChecksum,
    })
  },
)

t.test('a frame that needs a dictionary is named as such', async (t) => {
  t.strictSame(await read(Buffer.from(withDictionary, 'base64')), {
    found: [],
    refused: [
      [
        'shard-unsupported',
        'zstd: the frame needs dictionary 1792943025, which is not part of it; decompress it with zstd -d -D DICTIONARY',
      ],
    ],
  })
})

t.test('a frame refers to what came megabytes before, up to its window', async (t) => {
  await init()
  const line = (index: number) => `{"text":"${h64Raw(Buffer.from(`${seed} ${index}`)).toString(36)}"}`
  const texts = Array.from({ length: 60_000 }, (_, index) => line(index))
  const content = Buffer.from(`${[...texts, ...texts.slice(0, 20_000), ...texts].join('\n')}\n`)
  const bytes = Buffer.from(compress(content, 3))
  t.equal((bytes[4] as number) & 0x20, 0, 'the frame has a window')
  t.ok((bytes[5] as number) > windowOf1MiB, 'of over 1 MiB')
  t.ok(bytes.length < content.length / 2, `${content.length} bytes in ${bytes.length}: repeats are found from afar`)
  const { found, refused } = await read(bytes, 1e6, { blockBytes: 1 << 20 })
  t.strictSame(refused, [])
  t.ok(found.join('\n') === content.toString().trimEnd())
})
