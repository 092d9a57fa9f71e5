/** Parquet with many row groups: what a group costs does not depend on how many there are, or on how many come before. */
import type { FileMetaData } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import t from 'tap'
import { ParquetFile } from '../../lib/parquet/parquet-file.js'
import { rowBlocks } from '../../lib/sources/formats/parquet-rows.js'

const limits = {
  blockBytes: 1 << 20,
  recordBytesMax: 1 << 20,
  decodeMsMax: 60_000,
  decodeBytesMax: 1 << 30,
  zstdWindowBytesMax: 1 << 27,
}

/** One row in each of `groups` row groups. */
function fileOf(groups: number) {
  const data = Array.from({ length: groups }, (_, i) => `第${i}篇的正文。`)
  const content = parquetWriteBuffer({ columnData: [{ name: 'text', data, type: 'STRING' }], rowGroupSize: 1 })
  const reads: { readonly offset: number; readonly lengthBytes: number }[] = []
  const read = async (offset: number, lengthBytes: number): Promise<Uint8Array> => {
    reads.push({ offset, lengthBytes })
    return new Uint8Array(content, offset, lengthBytes)
  }
  return { sizeBytes: content.byteLength, reads, read }
}

/** The footer, and how often a row group of it has been looked at. */
function counted(metadata: FileMetaData): { readonly metadata: FileMetaData; looks(): number } {
  let looks = 0
  const row_groups = new Proxy(metadata.row_groups, {
    get: (target, key) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) looks++
      return Reflect.get(target, key)
    },
  })
  return { metadata: { ...metadata, row_groups }, looks: () => looks }
}

t.test('a row group costs as many looks at the footer in a file of 400 as in one of 40', async (t) => {
  const looksAt = async (groups: number): Promise<number> => {
    const open = await ParquetFile.open(fileOf(groups))
    const { metadata, looks } = counted(open.metadata)
    const file = open.withFooter(metadata)
    const rows: unknown[] = []
    for (let group = 0; group < groups; group++) {
      const stored = await file.readGroup(group)
      for (const range of stored.ranges()) rows.push(...(await stored.decode(range)))
    }
    t.strictSame(rows.at(-1), { text: `第${groups - 1}篇的正文。` })
    return looks() / groups
  }
  t.equal(await looksAt(400), await looksAt(40))
})

t.test('a read from a row group on reads the footer once and nothing of the groups before', async (t) => {
  const file = fileOf(1000)
  const mapping = { text: 'text' }
  const from = { group: 700, row: 0 }
  const blocks = []
  for await (const block of rowBlocks({ sizeBytes: file.sizeBytes, mapping, from, options: limits }, file.read)) {
    blocks.push(block)
  }
  t.equal(blocks.length, 300)
  t.equal(
    Buffer.from(blocks[0]?.bytes ?? [])
      .toString()
      .includes('第700篇'),
    true,
  )
  const footer = file.reads.filter(({ offset, lengthBytes }) => offset + lengthBytes === file.sizeBytes)
  t.equal(footer.length, 2, 'its length, then itself')
  const { metadata } = await ParquetFile.open(file)
  const first = Number(metadata.row_groups[700]?.columns[0]?.meta_data?.data_page_offset)
  t.strictSame(
    file.reads.filter(({ offset }) => offset < first),
    [],
  )
})
