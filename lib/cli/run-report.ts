/** Writes the report at the end of a run. The dataset does not depend on it: a failure is reported and changes nothing. */

import { join } from 'node:path'
import { errorMessage } from '../caught-error.js'
import { say } from '../language/say.js'
import { reportName } from '../storage/run-layout.js'

export async function writeRunReport(directory: string, print: (line: string) => void): Promise<void> {
  try {
    const { writeReport } = await import('../pages/report-file.js')
    await writeReport(directory)
  } catch (error) {
    print(say`cannot write ${join(directory, reportName)}: ${errorMessage(error)}`)
  }
}
