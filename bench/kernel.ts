/**
 * The signature kernel against its TypeScript twin, over the same texts in the same run; and three ways to a signature in
 * plain TypeScript, of which the kernel's is one: the error of the estimate on short and long texts.
 */
import { referenceSign, sketchKeys } from '../lib/text/kernel/reference-kernel.js'
import { createSigner } from '../lib/text/signature.js'
import { chineseTexts } from './dedup-texts.js'
import { estimatorErrors } from './kernel-estimators.js'
import { median } from './median.js'
import type { BenchOptions, BenchResult } from './types.js'

export const bench = {
  name: 'kernel',
  description: 'comparison form, fingerprint and 128 minima: WebAssembly SIMD against plain TypeScript',
  run,
}

const texts = { smoke: 60, full: 4000 }
const rounds = { smoke: 1, full: 5 }

async function run({ size }: BenchOptions): Promise<BenchResult> {
  const corpus = chineseTexts(texts[size], 600, 20261123)
  const bytes = corpus.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  const few = corpus.slice(0, Math.ceil(corpus.length / 16))
  const fewBytes = few.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  const signer = await createSigner()
  const fingerprintOnly = await createSigner({ signatureLength: 0 })
  const drawn = { ngram: 5, keys: sketchKeys(128, 1) }
  const [key, minima, none] = [new Uint8Array(16), new Uint8Array(128), new Uint8Array(0)]
  const ways = {
    kernel: {
      bytes,
      work: () => {
        for (const text of corpus) signer.sign(text, key, minima)
      },
    },
    'kernel, fingerprint only': {
      bytes,
      work: () => {
        for (const text of corpus) fingerprintOnly.sign(text, key, none)
      },
    },
    twin: {
      bytes: fewBytes,
      work: () => {
        for (const text of few) referenceSign(text, drawn, key, minima)
      },
    },
  }
  const seconds = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]))
  // Interleaved, after one round that is not counted: whatever else the machine does meets all of them.
  for (let round = 0; round <= rounds[size]; round++) {
    for (const [name, { work }] of Object.entries(ways)) {
      const start = process.cpuUsage()
      work()
      const { user, system } = process.cpuUsage(start)
      // Processor time: what other processes of a shared machine take is not ours.
      if (round > 0) seconds.get(name)?.push(Math.max(1, user + system) / 1e6)
    }
  }
  const rate = (name: keyof typeof ways) => ways[name].bytes / 1e6 / median(seconds.get(name) ?? [])
  const rows = (Object.keys(ways) as (keyof typeof ways)[]).map((way) => ({
    way,
    megabytesPerSecond: rate(way),
    timesTwin: rate(way) / rate('twin'),
  }))
  const times = rate('kernel') / rate('twin')
  return {
    tables: [
      { title: `Signatures of ${corpus.length} texts of 600 letters, 5-grams, one thread`, rows },
      { title: 'Other ways to 128 minima, all in plain TypeScript: error at Jaccard .8', rows: estimatorErrors(size) },
    ],
    aims: [
      { what: 'kernel, times the twin', figure: times, aim: 'at least 17', met: times >= 17 },
      { what: 'kernel, MB/s of UTF-8', figure: rate('kernel'), aim: 'about 330', met: rate('kernel') >= 330 },
    ],
  }
}
