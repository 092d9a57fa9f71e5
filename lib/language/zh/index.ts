/** The Chinese catalogue: every key of `say` and `translated`, one file per room or command. */
import type { Catalogue } from '../template.js'
import { main } from './main.js'
import { nouns } from './nouns.js'

export const zhParts: Readonly<Record<string, Catalogue>> = { main, nouns }

export const zh: Catalogue = Object.assign({}, ...Object.values(zhParts))
