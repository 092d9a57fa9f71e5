/** Finds model servers on this machine, on the ports that they use by default. */
import { httpClient, requestHeaders } from '../../llm/protocol/client.js'
import { type ServedModels, servedModels } from '../../llm/protocol/served-models.js'

/** Default ports of vLLM, SGLang, llama.cpp, Ollama and LM Studio. */
const usualPorts = [8000, 30_000, 8080, 11_434, 1234] as const

/** Time for one address, ms. */
const lookMs = 1500

/** A model that a server lists. */
export interface FoundModel {
  /** With /v1. */
  readonly endpoint: string
  /** 'vllm'; 'unknown' if it does not say. */
  readonly server: string
  readonly model: string
  readonly contextTokensMax: number | null
}

/** Models that cannot write text. */
const otherModels = /embed|rerank|\bbge-|whisper|tts/i

/** Returns the models at all addresses, in the order of the addresses. */
export async function findModels(endpoints: readonly string[], apiKey?: string): Promise<FoundModel[]> {
  const found = await Promise.all(endpoints.map((endpoint) => lookAt(endpoint, apiKey)))
  return found.flatMap(({ models, server }, place) =>
    models
      .filter(({ name }) => !otherModels.test(name))
      .map(({ name, contextTokensMax }) => ({
        endpoint: endpoints[place] as string,
        server,
        model: name,
        contextTokensMax,
      })),
  )
}

/** Asks one address for its models, once. */
export async function lookAt(endpoint: string, apiKey?: string, timeoutMs: number = lookMs): Promise<ServedModels> {
  const client = httpClient(endpoint, 1)
  try {
    return await servedModels(client, requestHeaders({}, apiKey), timeoutMs)
  } finally {
    await client.close()
  }
}

export function localEndpoints(ports: readonly number[] = usualPorts): string[] {
  return ports.map((port) => `http://localhost:${port}/v1`)
}
