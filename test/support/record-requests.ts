/** Which requests of a run are about its records, and not of the probes at its start. */
import { canaryPrompt, labelPrompt } from '../../lib/llm/endpoint/probe-requests.js'
import type { Simulator } from '../../lib/simulator/vllm/index.js'

/** Requests of probes have no seed, or one of two texts. */
export function isAboutRecord({ body }: { readonly body: string }): boolean {
  return body.includes('"seed"') && ![canaryPrompt, labelPrompt].some((text) => body.includes(text))
}

/** Bodies of the requests about records, in order of arrival. */
export function recordBodies(server: Simulator): string[] {
  return server
    .requests()
    .filter(isAboutRecord)
    .map(({ body }) => body)
}
