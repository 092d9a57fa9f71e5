/**
 * 1,024 GPUs over 50,000 units in virtual time, with and without losses of spot instances, beside the same figures by
 * arithmetic. The model is lib/cli/plan/scale-model.ts; no server and no store takes part.
 */
import {
  type ScaleOptions,
  type ScaleResult,
  scaleDefaults,
  simulateScale,
  wasteShare,
} from '../lib/cli/plan/scale-model.js'
import type { Bench, BenchAim, BenchRow } from './types.js'

/**
 * A unit of 20,000 candidates at 0.153 GPU seconds each (8B models on an H100: docs/simulator.md); 24 MB of packed replies;
 * a queue with a lock of 60 s; three minutes to load a model.
 */
const base: ScaleOptions = {
  ...scaleDefaults,
  gpus: 1024,
  units: 50_000,
  unitSeconds: 3060,
  meanLifeSeconds: 3 * 3600,
  replyBytesPerUnit: 24e6,
}

const cases: Readonly<Record<string, Partial<ScaleOptions>>> = {
  'no losses': { meanLifeSeconds: Number.POSITIVE_INFINITY },
  'spot, mean life 3 h': {},
  'the same, replies not kept': { keepsReplies: false },
  'the same, shipped every 2 min': { shipSeconds: 120 },
  'the same, shipped by size alone': { shipSeconds: Number.POSITIVE_INFINITY },
  'replaced after 5 min': { replacementSeconds: 300 },
  'Slurm: 300 s + 120 s to notice': { noticeSeconds: 420 },
  '64 GPUs, spot': { gpus: 64 },
}

export const bench: Bench = {
  name: 'scale',
  description: 'units on 1,024 GPUs with losses, in virtual time',
  async run({ size, say }) {
    // The same losses a unit and the same number of units a GPU.
    const small = size === 'smoke' ? { gpus: 64, units: 3125 } : {}
    const results = Object.entries(cases).map(([name, change]) => {
      const options = { ...base, ...change, ...small }
      say(name)
      return { name, options, result: simulateScale(options) }
    })
    return {
      tables: [
        { title: 'GPU time', rows: results.map(({ name, result }) => timeRow(name, result)) },
        {
          title: 'Attempts and the store',
          rows: results.map(({ name, result, options }) => storeRow(name, result, options)),
        },
      ],
      aims: aims(results.map(({ result, options }) => ({ result, options }))),
    }
  },
}

function timeRow(name: string, result: ScaleResult): BenchRow {
  const share = (seconds: number): number => (100 * seconds) / result.gpuSeconds
  return {
    case: name,
    hours: result.seconds / 3600,
    'useful %': share(result.usefulSeconds),
    'repeated %': share(result.repeatedSeconds),
    'loading %': share(result.loadingSeconds),
    'absent %': share(result.absentSeconds),
    'idle %': share(result.idleSeconds),
    'tail, min': result.tailSeconds / 60,
  }
}

function storeRow(name: string, result: ScaleResult, { units }: ScaleOptions): BenchRow {
  const operations = result.storeReads + result.storeWrites
  return {
    case: name,
    losses: result.losses,
    attempts: result.attempts,
    'waste, % of the work': 100 * wasteShare(result),
    'min a loss': result.losses === 0 ? 0 : (result.repeatedSeconds + result.loadingSeconds) / result.losses / 60,
    'operations a unit': operations / units,
    'operations/s': operations / result.seconds,
    'writes at $5 a million, $': (result.storeWrites * 5) / 1e6,
  }
}

function aims(all: readonly { readonly result: ScaleResult; readonly options: ScaleOptions }[]): BenchAim[] {
  const [none, spot, discarded, , bySize] = all.map(({ result }) => result) as [ScaleResult, ...ScaleResult[]] &
    ScaleResult[]
  const { units } = (all[0] as { options: ScaleOptions }).options
  const hours = (none.usefulSeconds / none.gpuSeconds) * (none.seconds / 3600)
  const near = (figure: number, low: number, high: number): boolean => figure >= low && figure <= high
  const percent = (result: ScaleResult): number => 100 * wasteShare(result)
  const operations = (result: ScaleResult): number => (result.storeReads + result.storeWrites) / units
  return [
    { what: 'hours of work, by arithmetic 41', figure: hours, aim: '40 to 43', met: near(hours, 40, 43) },
    {
      what: 'waste with kept replies, % (2.5)',
      figure: percent(spot as ScaleResult),
      aim: '1.5 to 4',
      met: near(percent(spot as ScaleResult), 1.5, 4),
    },
    {
      what: 'waste without, % (16)',
      figure: percent(discarded as ScaleResult),
      aim: '13 to 20',
      met: near(percent(discarded as ScaleResult), 13, 20),
    },
    {
      what: 'operations a unit, shipped by size (11)',
      figure: operations(bySize as ScaleResult),
      aim: '9 to 14',
      met: near(operations(bySize as ScaleResult), 9, 14),
    },
  ]
}
