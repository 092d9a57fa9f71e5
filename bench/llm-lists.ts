/**
 * What several prompts in one request buy a one-token stage: grades asked of a stand-in server over HTTP, one prompt a
 * request against lists of 8 and 32, interleaved. The server takes no time of its own: what is left is the cost of asking.
 */

import { openServers } from '../lib/llm/scheduler/model-servers.js'
import { startSimulator } from '../lib/simulator/vllm/index.js'
import { median } from './median.js'
import type { BenchRow } from './types.js'

const rounds = 3
const inFlight = 64

export async function promptLists(calls: number): Promise<BenchRow[]> {
  const server = await startSimulator({})
  try {
    const sizes = [1, 8, 32]
    const seconds = new Map(sizes.map((size): [number, number[]] => [size, []]))
    for (let round = 0; round < rounds; round++) {
      for (const size of sizes) seconds.get(size)?.push(await grade(server.url, size, calls, round))
    }
    const medians = sizes.map((size) => [size, median(seconds.get(size) ?? [])] as const)
    const alone = medians[0]?.[1] ?? 1
    return medians.map(([size, each]) => ({
      'prompts a request': size,
      'grades/s': calls / each,
      'times one a request': alone / each,
    }))
  } finally {
    await server.close()
  }
}

async function grade(endpoint: string, promptsPerRequest: number, calls: number, round: number): Promise<number> {
  const limits = { limiter: 'fixed', inFlightMax: inFlight, promptsPerRequest } as const
  const servers = await openServers({ models: { m: { model: 'm', endpoints: [endpoint], ...limits } }, seed: 1 })
  const judge = servers.model('m')
  const signal = new AbortController().signal
  const startedMs = performance.now()
  await Promise.all(
    Array.from({ length: calls }, (_, number) =>
      judge.ask({
        record: `${round}-${number}`,
        position: [number],
        stage: 'score',
        stageOrder: 1,
        request: {
          kind: 'completion',
          prompt: `【指令】第${number}个问题：怎样给阳台上的花浇水？【/指令】\n【`,
          sampling: { max_tokens: 1, temperature: 0 },
        },
        fault: () => null,
        signal,
      }),
    ),
  )
  const seconds = (performance.now() - startedMs) / 1000
  await servers.close()
  return seconds
}
