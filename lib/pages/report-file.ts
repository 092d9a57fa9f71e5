/** Writes report.html of a run directory: one file without requests. */
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { processLanguage } from '../language/language.js'
import { reportName } from '../storage/run-layout.js'
import { pageText } from './page-file.js'
import { readRunView } from './run-view.js'

/**
 * @param path where to write it; report.html in the directory by default
 * @returns the path
 */
export async function writeReport(directory: string, path = join(directory, reportName)): Promise<string> {
  const view = await readRunView(directory)
  // English is the language of a process that asked for none: the reader's browser knows better.
  const language = processLanguage() === 'zh' ? 'zh' : null
  const text = await pageText({ page: 'report', language, view })
  await writeFile(`${path}.tmp`, text)
  await rename(`${path}.tmp`, path)
  return path
}
