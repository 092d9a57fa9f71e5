/** Starts processes that race for the same keys, and checks that each key has one winner. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { ObjectStore } from '../../lib/objects/object-store.js'
import { claim } from './contract.js'

const program = fileURLToPath(new URL('racing-writer.js', import.meta.url))

/** 4 processes with 4 clients each, at `where`; `store` reads what they wrote. */
export async function raceProcesses(
  t: Test,
  { where, store, rounds, env = {} }: { where: string; store: ObjectStore; rounds: number; env?: NodeJS.ProcessEnv },
): Promise<void> {
  const children = ['a', 'b', 'c', 'd'].map((name) =>
    fork(program, [where, name, '4'], { env: { ...process.env, ...env } }),
  )
  t.teardown(() => {
    for (const child of children) child.kill()
  })
  await Promise.all(children.map((child) => answerOf(child)))
  let wrong = 0
  for (let round = 0; round < rounds; round++) {
    const answers = children.map((child) => answerOf<{ winners: string[] }>(child))
    for (const child of children) child.send(round)
    const winners = (await Promise.all(answers)).flatMap((answer) => answer.winners)
    const found = await store.get(`processes/${round}.json`)
    if (winners.length === 1 && found !== null && claim(round, winners[0] as string).equals(found)) continue
    wrong++
    t.fail(`round ${round}: winners ${winners.join(' ')}`)
  }
  t.equal(wrong, 0, `${rounds} rounds with 4 processes of 4 writers`)
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, 'message')) as [T]
  return message
}
