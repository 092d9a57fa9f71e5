/** Counts the worker threads that a test starts. */
import { createHook } from 'node:async_hooks'
import type { Test } from 'tap'

/** Returns a function that tells how many threads were started since the current test of `t` began. */
export function startedThreads(t: Test): () => number {
  let started = 0
  const hook = createHook({
    init: (_id, type) => {
      if (type === 'WORKER') started++
    },
  }).enable()
  t.teardown(() => hook.disable())
  t.beforeEach(() => {
    started = 0
  })
  return () => started
}
