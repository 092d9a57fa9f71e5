/** Copies a file in bounded memory. */
import type { FileLayer } from './files.js'

const pieceBytes = 1024 * 1024

/** Copies a file; the bytes of the copy are durable afterwards, its name is not. */
export async function copyFileDurably(files: FileLayer, from: string, to: string): Promise<void> {
  const source = await files.open(from, 'read')
  try {
    const target = await files.open(to, 'write')
    try {
      for (let offset = 0; ; ) {
        const piece = await source.read(offset, pieceBytes)
        if (piece.length > 0) await target.write(piece)
        offset += piece.length
        if (piece.length < pieceBytes) break
      }
      await target.fsync()
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}
