/** The named steps of the commit: where a test may kill, and what a trace shows. */
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

/** Called before and after each step; `path` is what the step works on. May be slow, may throw. */
export type OnStep = (step: CommitStep, when: 'before' | 'after', path: string) => void | Promise<void>

/** Does `work` as a named step: tells `onStep` before and after it. */
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
