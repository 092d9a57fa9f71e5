/** The benches by name. Each is a module of this folder, loaded only when it is asked for. */
import type { Bench } from './types.js'

export const benches: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  kernel: () => import('./kernel.js'),
  dedup: () => import('./dedup.js'),
  llm: () => import('./llm.js'),
  prepare: () => import('./prepare.js'),
  e2e: () => import('./e2e.js'),
  memory: () => import('./memory.js'),
  hub: () => import('./hub.js'),
  parquet: () => import('./parquet.js'),
  peers: () => import('./peers.js'),
  linear: () => import('./linear.js'),
  filters: () => import('./filters.js'),
  scale: () => import('./scale.js'),
}
