/** A simulated S3 with an empty folder, and stores in it that do not wait between tries. */
import type { Test } from 'tap'
import type { ObjectStore } from '../../lib/objects/object-store.js'
import { type S3StoreOptions, s3Store } from '../../lib/objects/s3-store.js'
import { type SimulatedS3, type SimulatedS3Options, startS3 } from '../../lib/simulator/s3/index.js'

export interface S3Bench {
  readonly server: SimulatedS3
  open(options?: Partial<S3StoreOptions>, where?: string): ObjectStore
}

export async function s3Bench(t: Test, options: Partial<SimulatedS3Options> = {}): Promise<S3Bench> {
  const server = await startS3({ directory: t.testdir(), ...options })
  t.teardown(() => server.close())
  return {
    server,
    open: ({ transport, ...given } = {}, where = 's3://kun/run') => {
      const store = s3Store(where, {
        environment: { HOME: '/nonexistent', ...server.environment },
        transport: { backoffMs: 0, ...transport },
        ...given,
      })
      t.teardown(() => store.close())
      return store
    },
  }
}
