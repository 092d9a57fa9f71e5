/**
 * zstd in WebAssembly. It must be initialised once per process, here: after a second `init`, `compress` of
 * @bokuweb/zstd-wasm 0.0.27 returns zeros.
 */
import zstd from '@bokuweb/zstd-wasm'
import { ContractError } from '../../errors.js'

/** Returns a function that compresses one page; the bytes do not depend on the version of Node. */
export async function zstdCompressor(level: number): Promise<(bytes: Uint8Array) => Uint8Array> {
  loaded ??= zstd.init()
  await loaded
  return (bytes) => {
    const frame = zstd.compress(bytes, level)
    if (frame[0] === 0x28 && frame[1] === 0xb5 && frame[2] === 0x2f && frame[3] === 0xfd) return frame
    throw new ContractError(
      'zstd did not return a zstd frame: was @bokuweb/zstd-wasm initialised twice in this process?',
    )
  }
}

let loaded: Promise<void> | null = null
