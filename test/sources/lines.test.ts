import t from 'tap'
import { sharedBuffers } from '../../lib/core/shared-buffers.js'
import { lineSplitter } from '../../lib/sources/formats/lines.js'
import type { Damage, FormatOptions, RawBlock, TextCursor } from '../../lib/sources/formats/raw-block.js'
import { randomBelow } from '../support/random.js'

const seed = Number(process.env.TEST_SEED ?? 20261129)
t.comment(`seed ${seed}`)

type Random = ReturnType<typeof randomBelow>

/** How the bytes reach the splitter: in chunks of at most so many bytes, in memory of the reader or of the splitter. */
interface Arrival {
  readonly shared: boolean
  readonly inPlace: boolean
  readonly chunkBytesMax: number
}

/** Blocks whose memory is returned, and overwritten, only after further ones were cut. */
const blocksHeld = 3

function split(content: Buffer, options: FormatOptions, damage: Damage | null, arrival: Arrival, random: Random) {
  const { shared, inPlace, chunkBytesMax } = arrival
  const splitter = lineSplitter(7, { ...options, shared })
  const own = Buffer.alloc(chunkBytesMax)
  const held: Uint8Array[] = []
  const blocks: string[] = []
  const take = (cut: RawBlock<TextCursor>[]): void => {
    for (const { bytes, ...rest } of cut) {
      blocks.push(JSON.stringify({ ...rest, text: Buffer.from(bytes).toString('latin1') }))
      held.push(bytes)
    }
    for (const bytes of held.splice(0, Math.max(0, held.length - blocksHeld))) {
      if (!(bytes.buffer instanceof SharedArrayBuffer)) continue
      sharedBuffers.give(bytes.buffer)
      new Uint8Array(bytes.buffer).fill(1)
    }
  }
  for (let at = 0; at < content.length; ) {
    const space = (inPlace && at > 0 ? splitter.space?.() : null) ?? own
    const count = Math.min(space.byteLength, content.length - at, 1 + random(chunkBytesMax))
    content.copy(space, 0, at, at + count)
    at += count
    take(splitter.push(space.subarray(0, count)))
    own.fill(255)
  }
  take(splitter.end(damage))
  return blocks
}

t.test('blocks do not depend on how bytes arrive, nor on where they are read into', (t) => {
  const random = randomBelow(seed)
  let inPlace = 0
  for (let round = 0; round < 600; round++) {
    const lines = 1 + random(80)
    const content = Buffer.from(
      Array.from({ length: random(2500) }, () => (random(lines) === 0 ? 10 : 97 + random(26))),
    )
    const options = {
      ...{ blockBytes: 1 + random(400), firstBlockBytes: 1 + random(400), recordBytesMax: 1 + random(300) },
      ...{ decodeMsMax: 1, zstdWindowBytesMax: 1, decodeBytesMax: 1 },
    }
    const damage: Damage | null = random(4) === 0 ? { reason: 'shard-truncated', detail: 'it ends' } : null
    const whole = split(content, options, damage, { shared: false, inPlace: false, chunkBytesMax: 4096 }, random)
    for (const chunkBytesMax of [1 + random(40), 4096]) {
      for (const arrival of [
        { shared: false, inPlace: false, chunkBytesMax },
        { shared: true, inPlace: false, chunkBytesMax },
        { shared: true, inPlace: true, chunkBytesMax },
      ]) {
        const blocks = split(content, options, damage, arrival, random)
        if (arrival.inPlace && blocks.length > 2) inPlace++
        if (blocks.join('\n') !== whole.join('\n')) {
          t.strictSame({ round, arrival, blocks }, { round, arrival, blocks: whole })
        }
      }
    }
  }
  t.ok(inPlace > 300, `${inPlace} texts were read in place`)
  t.end()
})
