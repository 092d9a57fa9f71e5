/** Options of `kun-stream pipe` as they are declared, and the names of its stages: what its help needs. */

export const modelStageNames = ['perplexity', 'screen', 'label', 'score', 'polish', 'pair', 'ifd'] as const
/** In the order of the graph. */
export const stageNames = ['clean', 'filter', 'chunk', 'dedup', ...modelStageNames] as const
export type StageName = (typeof stageNames)[number]

export interface PipeFlags {
  readonly json?: boolean
  readonly hub?: string
  readonly files: readonly string[]
  readonly revision: string
  readonly hubUrl?: string
  readonly token?: string
  readonly from?: 'jsonl' | 'arrow' | 'parquet'
  readonly stages: string
  readonly recipe?: string
  readonly set: readonly string[]
  readonly to: 'jsonl' | 'arrow' | 'parquet'
  readonly out?: string
  readonly text: string
  readonly id?: string
  readonly title?: string
  readonly threads?: string
  readonly rejects?: string
}
