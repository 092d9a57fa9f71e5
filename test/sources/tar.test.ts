import t from 'tap'
import { brokenCursors, collect, documents, memoryShard, records, summary } from './support.js'

const seed = Number(process.env.KUN_SEED ?? 20240607)
t.comment(`seed ${seed}`)
const texts = documents(12, seed)
const lines = (from: number, to: number): string =>
  texts
    .slice(from, to)
    .map((text) => `${text}\n`)
    .join('')

interface Header {
  readonly name: string | Buffer
  readonly type?: string
  readonly size?: number | Buffer
  readonly magic?: 'ustar' | 'gnu' | 'none'
  readonly link?: string
  readonly signed?: boolean
  readonly edit?: (header: Buffer) => void
}

/** A header as POSIX, GNU tar or a program before both writes it. */
function header({ name, type = '0', size = 0, magic = 'ustar', link = '', signed = false, edit }: Header): Buffer {
  const bytes = Buffer.alloc(512)
  Buffer.from(name as string).copy(bytes)
  for (const [at, length] of [
    [100, 7],
    [108, 7],
    [116, 7],
    [136, 11],
  ] as const)
    bytes.write('0'.repeat(length), at)
  if (typeof size === 'number') bytes.write(size.toString(8).padStart(11, '0'), 124)
  else size.copy(bytes, 124)
  bytes.write(type, 156, 'latin1')
  bytes.write(link, 157)
  if (magic === 'ustar') bytes.write('ustar\x0000', 257, 'latin1')
  if (magic === 'gnu') bytes.write('ustar  \0', 257, 'latin1')
  edit?.(bytes)
  bytes.fill(32, 148, 156)
  const sum = bytes.reduce((total, byte) => total + (signed && byte > 127 ? byte - 256 : byte), 0)
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return bytes
}

function padded(data: Buffer | string): Buffer {
  const bytes = Buffer.from(data as string)
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}

function member(name: string | Buffer, data: Buffer | string, rest: Partial<Header> = {}): Buffer {
  return Buffer.concat([header({ name, size: Buffer.byteLength(data as string), ...rest }), padded(data)])
}

function pax(fields: Record<string, string>): Buffer {
  const line = ([key, value]: [string, string]) => {
    const body = ` ${key}=${value}\n`
    let length = Buffer.byteLength(body)
    while (String(length).length + Buffer.byteLength(body) !== length) length++
    return `${length}${body}`
  }
  return member('PaxHeaders/x', Object.entries(fields).map(line).join(''), { type: 'x' })
}

const end = Buffer.alloc(1024)

async function read(...parts: Buffer[]) {
  const shard = memoryShard('a.tar', Buffer.concat(parts))
  const blocks = await collect([shard])
  const again = await collect([memoryShard('a.tar', Buffer.concat(parts), seed, 1e6)])
  t.strictSame(summary(again), summary(blocks), 'the same however the bytes arrive')
  t.strictSame((await brokenCursors([shard])).broken, [], 'every cursor gives the rest')
  return {
    found: blocks.flatMap((each) => records(each)),
    refused: blocks.flatMap(({ block }) => block.rejected.map(({ reason, detail }) => `${reason}: ${detail}`)),
  }
}

const before = member('a.jsonl', lines(0, 5))
const after = member('z.jsonl', lines(5, 12))
/** A member between two others: those are read, and it is what `refused` says. */
async function between(middle: Buffer, refused: string[], message: string): Promise<void> {
  t.strictSame(await read(before, middle, after, end), { found: texts, refused }, message)
}

t.test(
  'a sparse member is one reject that says how much of it there is, in every format that GNU tar writes',
  async () => {
    const segments = (bytes: Buffer) => {
      bytes.write('00000000000\x0000000001000\0', 386, 'latin1')
      bytes[482] = 1
    }
    const map = (more: number) => {
      const block = Buffer.alloc(512)
      block.write('00000002000\x0000000001000\0', 0, 'latin1')
      block[504] = more
      return block
    }
    const advice = 'extract it and pack it without --sparse'
    const data = padded(lines(0, 3))
    const sizeBytes = Buffer.byteLength(lines(0, 3))
    const reject = `member-unsupported: member "s.jsonl" is sparse, with ${sizeBytes} bytes of data between holes; ${advice}`
    const old = header({ name: 's.jsonl', type: 'S', size: sizeBytes, magic: 'gnu' })
    await between(Buffer.concat([old, data]), [reject], 'with up to 4 segments')
    const long = header({ name: 's.jsonl', type: 'S', size: sizeBytes, magic: 'gnu', edit: segments })
    await between(Buffer.concat([long, map(1), map(1), map(0), data]), [reject], 'with more, in blocks of their own')
    for (const fields of [
      {
        'GNU.sparse.size': '9999',
        'GNU.sparse.numblocks': '1',
        'GNU.sparse.name': 's.jsonl',
        'GNU.sparse.map': '0,512',
      },
      { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 's.jsonl', 'GNU.sparse.realsize': '9999' },
    ]) {
      await between(Buffer.concat([pax(fields), member('GNUSparseFile.1/s.jsonl', lines(0, 3))]), [reject], 'as pax')
    }
  },
)

t.test('links, devices, volumes and unknown types are a reject each; directories and labels are none', async () => {
  const of = (type: string, rest: Partial<Header> = {}) => header({ name: 'm.jsonl', type, ...rest })
  const reject = (what: string) => [`member-unsupported: member "m.jsonl" ${what}`]
  await between(
    of('2', { link: '../\x1b[31mx' }),
    reject('is a symbolic link to "../\\u001b[31mx", which is not followed'),
    '2',
  )
  await between(
    of('1', { link: 'a.jsonl', size: 700 }),
    reject('is a hard link to "a.jsonl", which is not followed'),
    '1',
  )
  for (const type of '346') await between(of(type), reject('is a device or a pipe'), type)
  await between(
    member('m.jsonl', lines(0, 2), { type: 'M', magic: 'gnu' }),
    reject(`continues in this volume with ${Buffer.byteLength(lines(0, 2))} bytes; join the volumes first`),
    'M',
  )
  await between(member('m.jsonl', 'abc', { type: 'Q' }), reject('of 3 bytes has the unknown type "Q"'), 'Q')
  await between(of('5'), [], 'a directory')
  await between(member('m/', 'm.jsonl\0', { type: 'D', magic: 'gnu' }), [], 'a directory with its names')
  await between(of('V', { magic: 'gnu' }), [], 'a volume label')
  await between(member('x', '21 SCHILY.fflags=any\n', { type: 'g' }), [], 'a global header')
})

t.test('members are read by long names, contiguous, from before POSIX, and with sizes in base 256', async (t) => {
  const [one, rest] = [lines(0, 5), lines(5, 12)]
  const base256 = Buffer.alloc(12)
  base256[0] = 0x80
  base256.writeUInt32BE(Buffer.byteLength(one), 8)
  const long = `${'目录/'.repeat(80)}a.jsonl`
  for (const [name, first] of Object.entries({
    'a contiguous file': member('a.jsonl', one, { type: '7' }),
    'a header before POSIX': member('a.jsonl', one, { type: '\0', magic: 'none' }),
    'a checksum of signed bytes': member(Buffer.from([0xc4, 0xe3, ...Buffer.from('.jsonl')]), one, {
      magic: 'none',
      signed: true,
    }),
    'a name that is not UTF-8': member(Buffer.from([0xc4, 0xe3, 0xba, 0xc3, ...Buffer.from('.jsonl')]), one),
    'a size in base 256': Buffer.concat([header({ name: 'a.jsonl', size: base256, magic: 'gnu' }), padded(one)]),
    'a long name of GNU tar': Buffer.concat([
      member('././@LongLink', `${long}\0`, { type: 'L', magic: 'gnu' }),
      member('x.bin', one),
    ]),
    'a long link before a long name': Buffer.concat([
      member('././@LongLink', 'x\0', { type: 'K', magic: 'gnu' }),
      member('././@LongLink', `${long}\0`, { type: 'L', magic: 'gnu' }),
      member('x.bin', one),
    ]),
    'a path and a size of pax': Buffer.concat([
      pax({ path: long, size: String(Buffer.byteLength(one)) }),
      header({ name: 'x.bin', size: 0 }),
      padded(one),
    ]),
  })) {
    t.strictSame(await read(first, member('b.jsonl', rest), end), { found: texts, refused: [] }, name)
  }
  const unnamed = memoryShard(
    'part',
    Buffer.concat([member('a.jsonl', lines(0, 12), { type: '\0', magic: 'none' }), end]),
  )
  t.strictSame(
    (await collect([unnamed])).flatMap((each) => records(each)),
    texts,
    'found by its header alone',
  )
})

t.test('an invalid header costs only its member: reading continues at the next header', async () => {
  const bad = member('m.jsonl', lines(0, 3))
  bad[150] = 57
  const lost = (bytes: number) => `${bytes} bytes before the next header are lost`
  await between(bad, [`shard-corrupt: a tar header has a wrong checksum; ${lost(bad.length)}`], 'a wrong checksum')
  const negative = Buffer.alloc(12, 0xff)
  const large = Buffer.concat([header({ name: 'm.jsonl', size: negative, magic: 'gnu' }), padded('x')])
  await between(large, [`shard-corrupt: a tar header gives a size of -1; ${lost(large.length)}`], 'a negative size')
  await between(Buffer.alloc(1536, 'x'), [`shard-corrupt: a tar header has a wrong checksum; ${lost(1536)}`], 'garbage')
  const wrong = Buffer.concat([pax({ size: '9'.repeat(30) }), member('m.jsonl', 'x')])
  await between(wrong, [`shard-corrupt: a pax header gives a size of 1e+30; ${lost(1024)}`], 'a size of pax')
})

t.test('tars end to end are one; what follows the end is a reject, unless it is zeros', async (t) => {
  t.strictSame(await read(before, end, after, end), { found: texts, refused: [] })
  t.strictSame(await read(before, after, end, Buffer.alloc(300)), { found: texts, refused: [] })
  for (const garbage of [Buffer.alloc(300, 'x'), Buffer.alloc(5000, 'x')]) {
    const { found, refused } = await read(before, after, end, garbage)
    t.strictSame(found, texts)
    t.match(refused, [/^shard-corrupt: bytes follow the end of the tar/])
    t.equal(refused.length, 1)
  }
})

t.test('a header of a gigabyte is skipped and never held in memory; the member after it is a reject', async (t) => {
  const sizeBytes = 2 ** 30
  for (const [type, magic] of [
    ['x', 'ustar'],
    ['L', 'gnu'],
  ] as const) {
    const chunk = Buffer.alloc(1 << 20, 'x')
    const head = Buffer.concat([before, header({ name: 'x', type, size: sizeBytes, magic })])
    let peakBytes = 0
    const shard = {
      ...memoryShard('a.tar', ''),
      async *open() {
        yield head
        for (let sent = 0; sent < sizeBytes; sent += chunk.length) {
          peakBytes = Math.max(peakBytes, process.memoryUsage().arrayBuffers)
          yield chunk
        }
        yield Buffer.concat([member('m.jsonl', 'x'), after, end])
      },
    }
    const heldBytes = process.memoryUsage().arrayBuffers
    const blocks = await collect([shard])
    t.ok(peakBytes - heldBytes < 32 << 20, `${(peakBytes - heldBytes) >> 20} MiB held at most`)
    t.strictSame(
      blocks.flatMap((each) => records(each)),
      texts,
    )
    t.match(
      blocks.flatMap(({ block }) => block.rejected.map(({ detail }) => detail)),
      [/^member "m\.jsonl" follows a header over 1048576 bytes at \d+, so that its name is unknown$/],
    )
  }
})
