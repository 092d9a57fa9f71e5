/**
 * zstd from WebAssembly, loaded once in a process: a second `init` of @bokuweb/zstd-wasm 0.0.27 makes `compress`
 * answer zeros from then on. Whoever else needs it must come here.
 */
import zstd from '@bokuweb/zstd-wasm'
import { ContractError } from '../../errors.js'

/** Compresses one page; the same bytes on every Node. */
export async function zstdCompressor(level: number): Promise<(bytes: Uint8Array) => Uint8Array> {
  loaded ??= zstd.init()
  await loaded
  return (bytes) => {
    const frame = zstd.compress(bytes, level)
    if (frame[0] === 0x28 && frame[1] === 0xb5 && frame[2] === 0x2f && frame[3] === 0xfd) return frame
    throw new ContractError('zstd gave no zstd frame: was @bokuweb/zstd-wasm initialised twice in this process?')
  }
}

let loaded: Promise<void> | null = null
