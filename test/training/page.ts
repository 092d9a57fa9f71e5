/** Reads a page of the documentation, for tests that compare it with the code. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../support/root.js'

export function textOf(page: string): string {
  return readFileSync(join(projectRoot, page), 'utf8')
}
