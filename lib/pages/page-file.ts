/**
 * The page of the bundle (dist/web/page.html, built from web/) with its data. The data is JSON in a script element that
 * is not executed; the policy of the page allows its own script only, and no request but to its own server.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import type { PageData } from './view.js'

const bundle = fileURLToPath(new URL('../../web/page.html', import.meta.url))
/** Stands in the bundle where the data goes. */
const dataMark = '"kun-stream:data"'

/** @throws {UsageError} the bundle is not built, which only happens in a clone */
export async function pageText(data: PageData): Promise<string> {
  const text = await readFile(bundle, 'utf8').catch((cause: Error) => {
    throw new UsageError(say`the pages are not built (${cause.message}): run npm run build in the clone`, { cause })
  })
  const [before = '', after = ''] = text.split(dataMark)
  return before + scriptJson(data) + after
}

/** JSON without '<', so that no text ends the script element or opens a comment. */
function scriptJson(data: PageData): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c')
}
