/** Checks of where a run writes: the disk of its directory, and the repository to which it publishes. */

import { existsSync } from 'node:fs'
import { access, constants, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { errorMessage } from '../../caught-error.js'
import { authorization } from '../../hub/context.js'
import { hubSettings } from '../../hub/settings.js'
import { hubTransport } from '../../hub/transport.js'
import { listText } from '../../language/list-text.js'
import { say } from '../../language/say.js'
import type { Recipe } from '../../recipe/index.js'
import { resolveSecret } from '../../recipe/secrets.js'
import { bytesText } from '../terminal/bytes-text.js'
import type { Check } from './check.js'

/** Below this the disk is full before a first cut is committed, bytes. */
const freeBytesMin = 256 * 1024 * 1024

/** @param needed bytes that the run will write, estimated; null if unknown · @param read bytes of its input; null if unknown */
export async function diskCheck(directory: string, needed: number | null, read: number | null): Promise<Check> {
  let folder = resolve(directory)
  while (!existsSync(folder)) folder = dirname(folder)
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const facts = { freeBytes: free, neededBytes: needed, inputBytes: read }
  const check = (level: Check['level'], finding: string, line: string): Check => ({
    ...{ check: 'disk', level, subject: directory, finding, facts, line },
  })
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  )
  if (!writable)
    return check('fail', 'not-writable', say`${directory}: ${folder} is not writable: choose another folder with --out`)
  const shown = bytesText(free)
  if (needed !== null && needed > free) {
    return check(
      'fail',
      'too-small',
      say`${directory}: ${shown} free, but the run needs about ${bytesText(needed)}: choose another disk with --out`,
    )
  }
  if (free < freeBytesMin)
    return check('fail', 'full', say`${directory}: only ${shown} free: choose another disk with --out`)
  if (needed === null && read !== null && read > free) {
    return check(
      'warn',
      'smaller-than-input',
      say`${directory}: ${shown} free, less than the ${bytesText(read)} that are read: --records 200 predicts what is written`,
    )
  }
  return needed === null
    ? check('ok', 'free', say`${directory}: ${shown} free`)
    : check('ok', 'free', say`${directory}: ${shown} free, the run needs about ${bytesText(needed)}`)
}

/** Returns the checks of the rights on the Hub; none if the recipe does not publish. */
export async function hubChecks({ publish }: Recipe): Promise<Check[]> {
  if (publish === undefined) return []
  const { repo, hubUrl, token } = publish
  const subject = 'publish.repo'
  const check = (level: Check['level'], finding: string, line: string): Check[] => [
    { check: 'hub', level, subject, finding, facts: { repo }, line },
  ]
  const settings = hubSettings({
    hubUrl,
    token: token === undefined ? undefined : resolveSecret(token, 'publish.token'),
  })
  if (settings.token === undefined) {
    return check(
      'fail',
      'no-token',
      say`${subject}: no token for ${settings.url}: set HF_TOKEN to one with the role write`,
    )
  }
  const transport = hubTransport(settings, { triesMax: 1, connectMs: 5000, headersMs: 10_000 })
  try {
    const { status, body } = await transport.request(`${settings.url}/api/whoami-v2`, {
      headers: authorization(settings),
    })
    const text = await body.text()
    if (status === 401 || status === 403) {
      return check(
        'fail',
        'token-refused',
        say`${subject}: ${settings.url} refuses the token of ${settings.tokenFrom} (${status}): make a new one with the role write`,
      )
    }
    const { data: user } = whoAmI.safeParse(JSON.parse(text))
    if (user === undefined) {
      return check('fail', 'unreachable', say`${subject}: ${settings.url} does not name the account of the token`)
    }
    const names = [user.name, ...user.orgs.map(({ name }) => name)]
    const [owner = ''] = repo.split('/')
    if (user.auth?.accessToken?.role === 'read') {
      return check(
        'fail',
        'token-reads',
        say`${subject}: the token of ${settings.tokenFrom} may only read: make one with the role write`,
      )
    }
    return names.includes(owner)
      ? check('ok', 'may-write', say`${subject}: ${user.name} may publish ${repo}`)
      : check(
          'fail',
          'other-owner',
          say`${subject}: the token is that of ${listText(names)}, but ${repo} belongs to ${owner}: change the repository or the token`,
        )
  } catch (error) {
    return check('fail', 'unreachable', say`${subject}: ${settings.url} cannot be asked: ${errorMessage(error)}`)
  } finally {
    await transport.close()
  }
}

const whoAmI = z.object({
  name: z.string(),
  orgs: z.array(z.object({ name: z.string() })).default([]),
  auth: z.object({ accessToken: z.object({ role: z.string().optional() }).optional() }).optional(),
})
