/**
 * The ways in which a run is tortured: in one pass or in phases, with replies kept or discarded. In phases one model after
 * the other is served at one address, and the run goes as far as the one that is there.
 */
import type { Phase } from '../../lib/kun/stage-ranks.js'

export interface Form {
  readonly name:
    | 'plain'
    | 'phases'
    | 'discard'
    | 'phases, discard'
    | 'containers'
    | 'changed input'
    | 'probe-outages'
    | 'poison'
    | 'columns'
  readonly legs: readonly Leg[]
  readonly discards: boolean
  /** By pairs of containers instead of kills at named places. */
  readonly containers?: boolean
  /** A byte of the input is changed before each resume. */
  readonly changesInput?: boolean
  /** The server fails from its first request on, or fails three records for ever. */
  readonly disturbs?: 'outages' | 'poison'
  /** Overrides of the recipe besides those of every form. */
  readonly set?: readonly string[]
}

/** A part of a run with one server. */
export interface Leg {
  /** Null for a run to the end. */
  readonly through: Phase | null
  /** Served meanwhile; every name when empty. */
  readonly models: readonly string[]
}

const onePass: readonly Leg[] = [{ through: null, models: [] }]
const phases: readonly Leg[] = [
  { through: 'label', models: ['writer'] },
  { through: 'score', models: ['judge'] },
  { through: null, models: ['polisher'] },
]

/** Three instructions for a chunk, two columns, and the measures from log-probabilities of prompts. */
const variantsAndColumns = [
  'kun.label.variants=3',
  'kun.perplexity={model: judge}',
  'kun.ifd={model: writer}',
  `kun.columns=${JSON.stringify([
    {
      ...{ name: 'domain', after: 'dedup', model: 'judge', type: 'enum', values: ['科学', '历史', '生活', '其他'] },
      prompt: { text: '这段文字属于哪个领域？\n{text}' },
      keepIf: { notIn: ['其他'] },
    },
    {
      ...{ name: 'difficulty', after: 'label', model: 'judge', type: 'number', min: 1, max: 5 },
      prompt: { text: '领域是{domain}。这条指令有多难？\n{instruction}' },
    },
  ])}`,
]

export const forms: readonly Form[] = [
  { name: 'plain', legs: onePass, discards: false },
  { name: 'phases', legs: phases, discards: false },
  { name: 'discard', legs: onePass, discards: true },
  { name: 'phases, discard', legs: phases, discards: true },
  { name: 'changed input', legs: onePass, discards: false, changesInput: true },
  { name: 'probe-outages', legs: onePass, discards: false, disturbs: 'outages' },
  { name: 'poison', legs: onePass, discards: false, disturbs: 'poison' },
  { name: 'columns', legs: onePass, discards: false, set: variantsAndColumns },
  { name: 'containers', legs: onePass, discards: false, containers: true },
]

/** Overrides of the tiny recipe: some ten cuts, so that a kill in each of them fits into a run, and a model a stage. */
export function overrides(endpoint: string): string[] {
  const polisher = { endpoints: [endpoint], model: 'polisher', limiter: 'fixed', inFlightMax: 64 }
  return [
    'output.candidatesPerCut=8',
    'output.rowsPerFile=5',
    `models.polisher=${JSON.stringify(polisher)}`,
    'kun.polish.model=polisher',
  ]
}
