/** Named steps of a commit, for crash tests and traces. */
export type CommitStep =
  | 'flush'
  | 'footer'
  | 'fsync-file'
  | 'rename'
  | 'fsync-directory'
  | 'manifest-write'
  | 'manifest-fsync'
  | 'recover-cut'
  | 'recover-fsync'
  | 'recover-delete'

/** Called before and after each step on `path`. May be slow; may throw, which fails the step. */
export type OnStep = (step: CommitStep, when: 'before' | 'after', path: string) => void | Promise<void>

/** Runs `work` as a named step and calls `onStep` before and after it. */
export async function runStep<T>(
  onStep: OnStep | undefined,
  step: CommitStep,
  path: string,
  work: () => Promise<T>,
): Promise<T> {
  await onStep?.(step, 'before', path)
  const result = await work()
  await onStep?.(step, 'after', path)
  return result
}
