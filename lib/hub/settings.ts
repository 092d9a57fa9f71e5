/**
 * Where the Hub is and which token goes there: HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_OFFLINE as in the Python client.
 * Source: huggingface_hub, "Environment variables".
 */
import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { unpinned } from '../core/option-meta.js'
import { processSecrets } from '../core/redaction.js'
import { HubAccessError, InvalidOptionError } from '../errors.js'

/** `owner/name` of a dataset. */
export const hubRepo = z
  .string()
  .regex(/^[\w.-]+\/[\w.-]+$/, { error: ({ input }) => `is ${JSON.stringify(input)}: write owner/name` })
  .meta({ allowed: 'owner/name' })

/** `--token` and `token:`. One for each use, so that each may have its own metadata. */
export const hubToken = () =>
  z.string().optional().meta(unpinned('Environment variable with the token; by default HF_TOKEN or the token file'))

/** @throws {InvalidOptionError} not `owner/name` */
export function mustBeRepo(repo: string): string {
  const { success } = hubRepo.safeParse(repo)
  if (success) return repo
  throw new InvalidOptionError(
    `The dataset is given as ${JSON.stringify(repo)}: write owner/name, as in Skywork/SkyPile-150B`,
  )
}

export interface HubSettings {
  /** Without a slash at the end. */
  readonly url: string
  readonly token: string | undefined
  /** What the token was read from, for messages; or why there is none. */
  readonly tokenFrom: string
  /** Why a token that was found is not sent; null when it is, or none was found. */
  readonly tokenWithheld: string | null
  readonly offline: boolean
  /** True when the Hub is a mirror or a stand-in: huggingface.co must not be asked. */
  readonly mirrored: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

export interface HubSettingsOptions {
  readonly hubUrl?: string | undefined
  /** A token, `env:NAME`, or `file:PATH`. */
  readonly token?: string | undefined
  readonly environment?: Environment
}

/** Given to the client library in place of a token of another form; the transport puts the real one back. */
export const clientToken = 'hf_in_place_of_another'

export const hubUrlDefault = 'https://huggingface.co'

/**
 * The Hub's address and token, from options, then the environment, then the standard token file.
 *
 * A token goes only to the host it is for: one of the environment or the token file to HF_ENDPOINT (huggingface.co by
 * default), one that is given as an option to `hubUrl`; over https, or to this machine.
 *
 * @throws {InvalidOptionError} the address is not valid, or holds a password
 * @throws {HubAccessError} `env:NAME` or `file:PATH` names nothing, the token is not one of huggingface.co though it would
 *   be sent there, or a token given as an option would be sent in clear over the network
 */
export function hubSettings({ hubUrl, token, environment = process.env }: HubSettingsOptions = {}): HubSettings {
  const ownUrl = withoutSlash(given(environment, 'HF_ENDPOINT') ?? hubUrlDefault)
  const url = withoutSlash(hubUrl ?? ownUrl)
  if (!/^https?:\/\/[^/]/.test(url) || !URL.canParse(url)) {
    throw new InvalidOptionError(`The address of the Hub is ${url}: give one that begins with http:// or https://`)
  }
  if (/^https?:\/\/[^/]*@/.test(url)) {
    throw new InvalidOptionError(
      'The address of the Hub holds a user or a password, which is not shown: take it out, and give a token as HF_TOKEN',
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
    throw new HubAccessError(`The token from ${found.tokenFrom} is not sent to ${url}: ${withheld}`)
  }
  return { ...place, token: undefined, tokenFrom: found.tokenFrom, tokenWithheld: withheld }
}

/** @param tokenUrl the Hub that the token is for */
function withheldReason(url: string, tokenUrl: string): string | null {
  const { origin, protocol, hostname } = new URL(url)
  if (origin !== (URL.canParse(tokenUrl) ? new URL(tokenUrl).origin : '')) {
    return `it is for ${tokenUrl}; name the token for this Hub beside its address, as token: env:NAME or --token env:NAME`
  }
  if (protocol === 'https:' || isLoopback(hostname)) return null
  return 'it would go over the network in clear; use https, or unset the token to go without one'
}

/** This machine: what is sent there crosses no network. */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i.test(hostname)
}

/** Tokens of other Hubs have other forms; huggingface.co must not be sent one of those. */
function mustFitHost(token: string, tokenFrom: string, url: string): void {
  if (url !== hubUrlDefault || token.startsWith('hf_')) return
  throw new HubAccessError(
    `The Hub token from ${tokenFrom} does not begin with hf_ (${token.length} characters), so it is not one of ${hubUrlDefault}: ` +
      `take one from ${hubUrlDefault}/settings/tokens, or set HF_ENDPOINT to the Hub that it is for`,
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
      throw new HubAccessError(`The Hub token is given as ${named}, but ${name} is not set: export ${name}=hf_…`)
    return { token, tokenFrom: name }
  }
  if (named.startsWith('file:')) {
    const path = expandedPath(named.slice('file:'.length), environment)
    const token = readToken(path)
    if (token === undefined)
      throw new HubAccessError(`The Hub token is given as ${named}, but there is none in ${path}`)
    return { token, tokenFrom: path }
  }
  const token = cleanToken(named)
  if (token === undefined) throw new HubAccessError('The Hub token is given, but is empty: give env:NAME or file:PATH')
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

/** `~` and `~user` at the start, `$NAME` and `${NAME}` anywhere; what is not known stays, as in Python's os.path. */
function expandedPath(path: string, environment: Environment): string {
  const user = /^~([^/]*)/.exec(path)
  const home = user === null ? undefined : user[1] === '' ? homeOf(environment) : homeOfUser(user[1] as string)
  const fromHome = home === undefined ? path : home.replace(/\/+$/, '') + path.slice(user?.[0].length)
  return fromHome.replace(/\$(?:(\w+)|\{([^}]*)\})/g, (whole, bare?: string, braced?: string) => {
    return environment[bare ?? braced ?? ''] ?? whole
  })
}

function homeOf(environment: Environment): string {
  return given(environment, 'HOME') ?? homedir()
}

const passwdBytesMax = 16 * 1024 * 1024

/** Undefined where the system lists no such user. */
function homeOfUser(name: string): string | undefined {
  try {
    if (statSync('/etc/passwd').size > passwdBytesMax) return undefined
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((each) => each.startsWith(`${name}:`))
    return line?.split(':')[5]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new HubAccessError(`The home of ~${name} cannot be looked up: ${(error as Error).message}`, { cause: error })
  }
}

/** The value of a variable; one that is empty counts as not set. */
function given(environment: Environment, name: string): string | undefined {
  return environment[name]?.trim() || undefined
}

function isTrue(value: string | undefined): boolean {
  return /^(?:1|on|yes|true)$/i.test(value ?? '')
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}

/** Without line breaks anywhere, as the Python client takes a token; undefined when nothing is left. */
function cleanToken(text: string | undefined): string | undefined {
  return text?.replaceAll(/[\r\n]/g, '').trim() || undefined
}

/** Far more than a token has. */
const tokenBytesMax = 64 * 1024

function readToken(path: string): string | undefined {
  try {
    if (statSync(path).size > tokenBytesMax) throw new Error(`it has more than ${tokenBytesMax} bytes`)
    return cleanToken(readFileSync(path, 'utf8'))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new HubAccessError(`The Hub token file ${path} cannot be read: ${message}`, { cause: error })
  }
}
