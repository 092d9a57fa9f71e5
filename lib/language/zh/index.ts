/** The Chinese catalogue: every key of `say` and `translated`, one file per room or command. */
import type { Catalogue } from '../template.js'
import { bench } from './bench.js'
import { benchPage } from './bench-page.js'
import { card } from './card.js'
import { cli } from './cli.js'
import { dedup } from './dedup.js'
import { epochs } from './epochs.js'
import { help } from './help.js'
import { hub } from './hub.js'
import { init } from './init.js'
import { inputs } from './inputs.js'
import { llm } from './llm.js'
import { losses } from './losses.js'
import { main } from './main.js'
import { nouns } from './nouns.js'
import { objects } from './objects.js'
import { pages } from './pages.js'
import { plan } from './plan.js'
import { progress } from './progress.js'
import { publish } from './publish.js'
import { queue } from './queue.js'
import { reasons } from './reasons.js'
import { recipe } from './recipe.js'
import { recipeFields } from './recipe-fields.js'
import { recipeIssues } from './recipe-issues.js'
import { run } from './run.js'
import { setup } from './setup.js'
import { sinks } from './sinks.js'
import { slurm } from './slurm.js'
import { sources } from './sources.js'
import { storage } from './storage.js'
import { terminal } from './terminal.js'
import { tokens } from './tokens.js'
import { training } from './training.js'
import { trial } from './trial.js'
import { units } from './units.js'

export const zhParts: Readonly<Record<string, Catalogue>> = {
  bench,
  benchPage,
  card,
  cli,
  dedup,
  epochs,
  help,
  hub,
  init,
  inputs,
  llm,
  losses,
  main,
  nouns,
  objects,
  pages,
  progress,
  plan,
  publish,
  queue,
  reasons,
  recipe,
  recipeFields,
  recipeIssues,
  run,
  setup,
  sinks,
  slurm,
  sources,
  storage,
  terminal,
  tokens,
  training,
  trial,
  units,
}

export const zh: Catalogue = Object.assign({}, ...Object.values(zhParts))
