/** Identifies the server software by its own statements: for messages only, never for decisions. Pure. */

import type { Json } from './json.js'

const nameCharsMax = 60

/** Pages on which a server describes itself; empty if it does not have them. */
export interface DescribedServer {
  readonly version: Json
  /** The model's entry of `/v1/models`. */
  readonly entry: Json
  /** `/props` of llama.cpp. */
  readonly props: Json
  /** `/info` of TGI. */
  readonly info: Json
  /** `/get_model_info` of SGLang. */
  readonly modelInfo: Json
}

/** Example: 'vllm 0.12.0', 'llama.cpp b6000'; 'unknown' if no page names the software. */
export function serverNameOf({ version, entry, props, info, modelInfo }: DescribedServer): string {
  const owner = String(entry.owned_by ?? '').toLowerCase()
  if (owner === 'sglang' || typeof modelInfo.model_path === 'string') return named('sglang', version.version)
  if (owner === 'llamacpp' || isJson(props.default_generation_settings)) return named('llama.cpp', props.build_info)
  if (typeof info.model_id === 'string' && info.max_total_tokens !== undefined) return named('tgi', info.version)
  if (typeof version.version === 'string') return named('vllm', version.version)
  return owners.get(owner) ?? 'unknown'
}

const owners = new Map([
  ['vllm', 'vllm'],
  ['library', 'ollama'],
  ['organization_owner', 'lm studio'],
])

function named(server: string, version: unknown): string {
  return typeof version === 'string' && version !== '' ? `${server} ${version.slice(0, nameCharsMax)}` : server
}

function isJson(value: unknown): boolean {
  return value !== null && typeof value === 'object'
}
