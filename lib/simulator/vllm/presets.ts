/**
 * Engines that behave like a model on its hardware. The constants follow from published figures:
 * docs/simulator.md has the derivation, test/simulator/vllm/engine.test.ts compares engine, closed form and figures.
 */
import type { EngineOptions } from './engine.js'
import type { PresetName } from './options.js'

export type EnginePresetName = Exclude<PresetName, 'instant' | 'delay'>

export interface EnginePreset {
  readonly engine: EngineOptions
  readonly model: string
  readonly contextTokensMax: number
}

export const enginePresets: Readonly<Record<EnginePresetName, EnginePreset>> = {
  // 6.4k output tokens/s saturated; 45/s one-token judge, 33/s at 64 and 6/s at 1,000 output tokens after 512.
  'qwen3-8b-h100': {
    model: 'Qwen/Qwen3-8B',
    contextTokensMax: 40_960,
    engine: {
      stepMs: 11,
      prefillMs: 0.0418,
      decodeMs: 0.068,
      contextMs: 0.000_044,
      runningMax: 1_024,
      batchedTokensMax: 8_192,
      kvBlocks: 22_000,
    },
  },
  // No published figure: scaled from the 8B by weights, KV bytes and two GPUs at 85 % of their sum.
  'yi-34b-h100x2': {
    model: 'm-a-p/Kun-LabelModel',
    contextTokensMax: 4_096,
    engine: {
      stepMs: 20,
      prefillMs: 0.104,
      decodeMs: 0.173,
      contextMs: 0.000_037,
      runningMax: 1_024,
      batchedTokensMax: 8_192,
      kvBlocks: 17_000,
    },
  },
  // 13.5k output tokens/s saturated.
  'qwen3-0.6b-h100': {
    model: 'Qwen/Qwen3-0.6B',
    contextTokensMax: 40_960,
    engine: {
      stepMs: 5,
      prefillMs: 0.005,
      decodeMs: 0.0315,
      contextMs: 0.000_034,
      runningMax: 1_024,
      batchedTokensMax: 8_192,
      kvBlocks: 36_000,
    },
  },
}

/** Requests in flight, each replaced when done, with fixed lengths: the steady state in closed form. */
export interface Load {
  readonly inFlight: number
  readonly promptTokens: number
  readonly outputTokens: number
}

/**
 * Returns the output tokens per second. With R running, each request takes part in `outputTokens` steps, of which one
 * is its prefill: R / (stepMs + R × (decodeMs × (o − 1)/o + contextMs × context + prefillMs × p/o)).
 * R is the least of inFlight, runningMax and what fits the KV cache at mean context p + o/2.
 */
export function closedForm(engine: EngineOptions, load: Load): { tokensPerSecond: number; running: number } {
  const { promptTokens, outputTokens } = load
  const context = promptTokens + outputTokens / 2
  const running = Math.min(load.inFlight, engine.runningMax, (engine.kvBlocks * 16) / context)
  const decoding = (outputTokens - 1) / outputTokens
  const perSequenceMs =
    decoding * (engine.decodeMs + engine.contextMs * context) + (engine.prefillMs * promptTokens) / outputTokens
  return { tokensPerSecond: (1_000 * running) / (engine.stepMs + running * perSequenceMs), running }
}
