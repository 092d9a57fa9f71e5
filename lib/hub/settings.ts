/**
 * Address of the Hub and token: from options, HF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_OFFLINE, as in the Python client.
 * Source: huggingface_hub, "Environment variables".
 */
import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { errorCode, errorMessage } from '../caught-error.js'
import { unpinned } from '../core/option-meta.js'
import { processSecrets } from '../core/redaction.js'
import { HubAccessError, InvalidOptionError } from '../errors.js'
import { say } from '../language/say.js'

/** `owner/name` of a dataset. */
export const hubRepo = z
  .string()
  .regex(/^[\w.-]+\/[\w.-]+$/, { error: ({ input }) => `is ${JSON.stringify(input)}: write owner/name` })
  .meta({ allowed: 'owner/name' })

/** `--token` and `token:`. One for each use, so that each may have its own metadata. */
export const hubToken = () =>
  z.string().optional().meta(unpinned('Environment variable with the token; by default HF_TOKEN or the token file'))

/** Returns the name unchanged. @throws {InvalidOptionError} it is not `owner/name` */
export function parseRepo(repo: string): string {
  const { success } = hubRepo.safeParse(repo)
  if (success) return repo
  throw new InvalidOptionError(
    say`the dataset is given as ${JSON.stringify(repo)}: write owner/name, as in Skywork/SkyPile-150B`,
  )
}

export interface HubSettings {
  /** Without a slash at the end. */
  readonly url: string
  readonly token: string | undefined
  /** Where the token was read from, for messages; or why there is none. */
  readonly tokenFrom: string
  /** Why a token that was found is not sent; null if it is sent or none was found. */
  readonly tokenWithheld: string | null
  readonly offline: boolean
  /** True if the Hub is a mirror or a simulator: no request goes to huggingface.co. */
  readonly mirrored: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

/** Options for `hubSettings`; all optional. */
interface HubSettingsOptions {
  readonly hubUrl?: string | undefined
  /** A token, `env:NAME`, or `file:PATH`. */
  readonly token?: string | undefined
  readonly environment?: Environment
}

/** Passed to @huggingface/hub in place of a token of another form; the transport replaces it by the real one. */
export const clientToken = 'hf_in_place_of_another'

export const hubUrlDefault = 'https://huggingface.co'

/**
 * Returns the Hub's address and token: from options, then the environment, then the standard token file.
 *
 * A token is sent only to the host it belongs to: one from the environment or the token file to HF_ENDPOINT
 * (huggingface.co by default), one given as an option to `hubUrl`; and only over https or to this machine.
 *
 * @throws {InvalidOptionError} the address is not valid, or contains a password
 * @throws {HubAccessError} `env:NAME` or `file:PATH` holds no token; a token of another Hub would be sent to
 *   huggingface.co; or a token given as an option would be sent unencrypted over the network
 */
export function hubSettings({ hubUrl, token, environment = process.env }: HubSettingsOptions = {}): HubSettings {
  const ownUrl = withoutSlash(given(environment, 'HF_ENDPOINT') ?? hubUrlDefault)
  const url = withoutSlash(hubUrl ?? ownUrl)
  if (!/^https?:\/\/[^/]/.test(url) || !URL.canParse(url)) {
    throw new InvalidOptionError(say`the address of the Hub is ${url}: it must begin with http:// or https://`)
  }
  if (/^https?:\/\/[^/]*@/.test(url)) {
    throw new InvalidOptionError(
      say`the address of the Hub contains a user or a password (not shown): remove it, and set a token as
        HF_TOKEN`,
    )
  }
  const found = token === undefined ? ambientToken(environment) : namedToken(token, environment)
  if (found.token !== undefined) processSecrets.add(found.token)
  const offline = isTrue(given(environment, 'HF_HUB_OFFLINE') ?? given(environment, 'TRANSFORMERS_OFFLINE'))
  const place = { url, offline, mirrored: url !== hubUrlDefault }
  const withheld = found.token === undefined ? null : withheldReason(url, token === undefined ? ownUrl : url)
  if (withheld === null) {
    if (found.token !== undefined) mustFitHost(found.token, found.tokenFrom, url)
    return { ...place, ...found, tokenWithheld: null }
  }
  if (token !== undefined) {
    throw new HubAccessError(say`the token from ${found.tokenFrom} is not sent to ${url}: ${withheld}`)
  }
  return { ...place, token: undefined, tokenFrom: found.tokenFrom, tokenWithheld: withheld }
}

/** Returns why a token is not sent; null if it is. @param tokenUrl the Hub that the token belongs to */
function withheldReason(url: string, tokenUrl: string): string | null {
  const { origin, protocol, hostname } = new URL(url)
  if (origin !== (URL.canParse(tokenUrl) ? new URL(tokenUrl).origin : '')) {
    return `it belongs to ${tokenUrl}; give the token for this Hub with its address, as token: env:NAME or --token env:NAME`
  }
  if (protocol === 'https:' || isLoopback(hostname)) return null
  return 'it would be sent unencrypted; use https, or unset the token'
}

/** Whether the host name is that of this machine, so that nothing crosses the network. */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i.test(hostname)
}

/** A token that does not begin with hf_ belongs to another Hub and must not be sent to huggingface.co. */
function mustFitHost(token: string, tokenFrom: string, url: string): void {
  if (url !== hubUrlDefault || token.startsWith('hf_')) return
  throw new HubAccessError(
    say`the Hub token from ${tokenFrom} does not begin with hf_ (${token.length} characters), so it is not a
      token of ${hubUrlDefault}: use one from ${hubUrlDefault}/settings/tokens, or set HF_ENDPOINT to the
      Hub that it belongs to`,
  )
}

interface FoundToken {
  readonly token: string | undefined
  readonly tokenFrom: string
}

function namedToken(named: string, environment: Environment): FoundToken {
  if (named.startsWith('env:')) {
    const name = named.slice('env:'.length)
    const token = cleanToken(environment[name])
    if (token === undefined)
      throw new HubAccessError(say`the Hub token is given as ${named}, but ${name} is not set: export ${name}=hf_…`)
    return { token, tokenFrom: name }
  }
  if (named.startsWith('file:')) {
    const path = expandedPath(named.slice('file:'.length), environment)
    const token = readToken(path)
    if (token === undefined)
      throw new HubAccessError(say`the Hub token is given as ${named}, but ${path} contains none`)
    return { token, tokenFrom: path }
  }
  const token = cleanToken(named)
  if (token === undefined)
    throw new HubAccessError(say`the Hub token is given, but is empty: give env:NAME or file:PATH`)
  return { token, tokenFrom: 'the option token' }
}

/** Source: huggingface_hub, utils/_auth.py: HF_TOKEN, then its older name, then the file; HF_HUB_DISABLE_IMPLICIT_TOKEN. */
function ambientToken(environment: Environment): FoundToken {
  if (isTrue(given(environment, 'HF_HUB_DISABLE_IMPLICIT_TOKEN'))) {
    return { token: undefined, tokenFrom: 'HF_TOKEN (HF_HUB_DISABLE_IMPLICIT_TOKEN is set)' }
  }
  for (const name of ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN']) {
    const token = cleanToken(environment[name])
    if (token !== undefined) return { token, tokenFrom: name }
  }
  const path = tokenPath(environment)
  return { token: readToken(path), tokenFrom: path }
}

/** Source: huggingface_hub, constants.py: HF_TOKEN_PATH, HF_HOME and XDG_CACHE_HOME are expanded as a shell would. */
function tokenPath(environment: Environment): string {
  const home = homeOf(environment)
  const cache = given(environment, 'XDG_CACHE_HOME') ?? join(home, '.cache')
  const hfHome = expandedPath(given(environment, 'HF_HOME') ?? join(cache, 'huggingface'), environment)
  return expandedPath(given(environment, 'HF_TOKEN_PATH') ?? join(hfHome, 'token'), environment)
}

/** Expands `~` and `~user` at the start, `$NAME` and `${NAME}` anywhere; leaves unknown names, as Python's os.path does. */
function expandedPath(path: string, environment: Environment): string {
  const user = /^~([^/]*)/.exec(path)
  const name = user?.[1]
  const home = name === undefined ? undefined : name === '' ? homeOf(environment) : homeOfUser(name)
  const fromHome = home === undefined ? path : home.replace(/\/+$/, '') + path.slice(user?.[0].length)
  return fromHome.replace(/\$(?:(\w+)|\{([^}]*)\})/g, (whole, bare?: string, braced?: string) => {
    return environment[bare ?? braced ?? ''] ?? whole
  })
}

function homeOf(environment: Environment): string {
  return given(environment, 'HOME') ?? homedir()
}

const passwdBytesMax = 16 * 1024 * 1024

/** Returns undefined if /etc/passwd has no such user. */
function homeOfUser(name: string): string | undefined {
  try {
    if (statSync('/etc/passwd').size > passwdBytesMax) return undefined
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((each) => each.startsWith(`${name}:`))
    return line?.split(':')[5]
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw new HubAccessError(say`cannot look up the home directory of ~${name}: ${errorMessage(error)}`, {
      cause: error,
    })
  }
}

/** Returns the value of a variable; an empty one counts as not set. */
function given(environment: Environment, name: string): string | undefined {
  return environment[name]?.trim() || undefined
}

function isTrue(value: string | undefined): boolean {
  return /^(?:1|on|yes|true)$/i.test(value ?? '')
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}

/** Removes line breaks and surrounding white space, as the Python client does; undefined if nothing is left. */
function cleanToken(text: string | undefined): string | undefined {
  return text?.replaceAll(/[\r\n]/g, '').trim() || undefined
}

/** Far more than the length of a token. */
const tokenBytesMax = 64 * 1024

function readToken(path: string): string | undefined {
  try {
    if (statSync(path).size > tokenBytesMax) throw new Error(`it has more than ${tokenBytesMax} bytes`)
    return cleanToken(readFileSync(path, 'utf8'))
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new HubAccessError(say`cannot read the Hub token file ${path}: ${errorMessage(error)}`, { cause: error })
  }
}
