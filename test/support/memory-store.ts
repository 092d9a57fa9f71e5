/** A store of objects in memory, for tests of what is written, not of how. */
import { writeFileSync } from 'node:fs'
import type { ObjectStore } from '../../lib/objects/object-store.js'

export function memoryStore(): ObjectStore {
  const objects = new Map<string, Uint8Array>()
  return {
    url: 'memory:',
    // As if random reads were fast, so that nothing is copied.
    directory: '/nonexistent',
    putIfAbsent: async (key, bytes) => {
      if (objects.has(key)) return false
      objects.set(key, Uint8Array.from(bytes))
      return true
    },
    put: async (key, bytes) => {
      objects.set(key, Uint8Array.from(bytes))
    },
    putFile: async () => {
      throw new Error('not needed')
    },
    get: async (key) => objects.get(key) ?? null,
    getRange: async (key, offset, lengthBytes) => objects.get(key)?.subarray(offset, offset + lengthBytes) ?? null,
    getFile: async (key, path) => {
      const bytes = objects.get(key)
      if (bytes !== undefined) writeFileSync(path, bytes)
      return bytes !== undefined
    },
    head: async (key) => {
      const bytes = objects.get(key)
      return bytes === undefined ? null : { bytes: bytes.length }
    },
    async *list(prefix) {
      yield* [...objects.keys()].filter((key) => key.startsWith(prefix)).sort()
    },
    remove: async (key) => {
      objects.delete(key)
    },
    close: async () => undefined,
  }
}
