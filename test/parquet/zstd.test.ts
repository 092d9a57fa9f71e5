import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import packaged from '@bokuweb/zstd-wasm'
import { decompress } from 'fzstd'
import t from 'tap'
import { zstdCompressor } from '../../lib/parquet/encoders/zstd.js'

/** Bytes that compress by more or less, the same in every run. */
function bytesOf(kind: string, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  if (kind === 'zeros') return bytes
  const text = Buffer.from('请围绕下面的主题写一段说明：天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。')
  for (let at = 0, i = 0; at < length; i++) {
    const hash = createHash('sha256').update(`${kind}:${i}`).digest()
    const from = (hash[0] as number) % text.length
    const part = kind === 'random' ? hash : text.subarray(from, from + (hash[1] as number))
    at += part.copy(bytes, at)
    if (kind === 'records')
      at += bytes.copy(bytes, at, Math.max(0, at - 300 - (hash[2] as number)), Math.max(0, at - 100))
  }
  return bytes
}

const lengths = [0, 1, 2, 7, 63, 255, 256, 4095, 16_384, 70_000, 131_071, 262_144, 262_145, 1_048_576, 2_500_000]

t.test('the built module is used, and writes what the module of the package writes', async (t) => {
  t.ok(existsSync(new URL('../../lib/parquet/encoders/zstd.wasm', import.meta.url)), 'npm run build:kernel has made it')
  await packaged.init()
  for (const level of [1, 3]) {
    const compress = await zstdCompressor(level)
    // Large and small ones in turn: the context of one page is used for the next.
    for (const length of [...lengths, ...[...lengths].reverse()]) {
      for (const kind of ['zeros', 'random', 'text', 'records']) {
        const bytes = bytesOf(kind, length)
        const frame = compress(bytes)
        const same = Buffer.compare(frame, packaged.compress(bytes, level)) === 0
        const whole = length === 0 || Buffer.compare(decompress(frame), bytes) === 0
        if (!same || !whole) t.fail(`${length} bytes of ${kind} at level ${level}: ${same ? 'damaged' : 'other bytes'}`)
      }
    }
  }
})

t.test('many pages larger than the kept memory leave nothing behind', async (t) => {
  const compress = await zstdCompressor(3)
  const bytes = bytesOf('text', 3_000_000)
  const hashes = new Set<string>()
  for (let i = 0; i < 40; i++) hashes.add(createHash('sha256').update(compress(bytes)).digest('hex'))
  t.equal(hashes.size, 1)
})
