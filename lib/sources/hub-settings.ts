/**
 * Where the Hub is and who asks: HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_OFFLINE mean what they mean elsewhere.
 * Source: huggingface_hub, "Environment variables".
 */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { HubAccessError, InvalidOptionError } from '../errors.js'

/** `owner/name` of a dataset. */
export const hubRepo = z
  .string()
  .regex(/^[\w.-]+\/[\w.-]+$/, { error: ({ input }) => `is ${JSON.stringify(input)}: write owner/name` })

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
  /** What the token was read from, for messages. */
  readonly tokenFrom: string
  readonly offline: boolean
  /** True when the Hub is a mirror or a stand-in: huggingface.co must not be asked. */
  readonly mirrored: boolean
}

export interface HubSettingsOptions {
  readonly hubUrl?: string | undefined
  /** A token, or `env:NAME`. */
  readonly token?: string | undefined
  readonly environment?: Readonly<Record<string, string | undefined>>
}

export const hubUrlDefault = 'https://huggingface.co'

/**
 * The Hub's address and token, from options, then the environment, then the standard token file.
 *
 * @throws {InvalidOptionError} the address is none, or holds a password
 * @throws {HubAccessError} `env:NAME` names nothing, or the token does not begin with hf_
 */
export function hubSettings({ hubUrl, token, environment = process.env }: HubSettingsOptions = {}): HubSettings {
  const url = (hubUrl ?? environment['HF_ENDPOINT'] ?? hubUrlDefault).replace(/\/+$/, '')
  if (!/^https?:\/\/[^/]/.test(url)) {
    throw new InvalidOptionError(`The address of the Hub is ${url}: give one that begins with http:// or https://`)
  }
  if (/^https?:\/\/[^/]*@/.test(url)) {
    throw new InvalidOptionError(
      'The address of the Hub holds a user or a password, which is not shown: take it out, and give a token as HF_TOKEN',
    )
  }
  const found = findToken(token, environment)
  if (found.token !== undefined && !found.token.startsWith('hf_')) {
    throw new HubAccessError(
      `The Hub token from ${found.tokenFrom} does not begin with hf_ (${found.token.length} characters): ` +
        `take one from ${hubUrlDefault}/settings/tokens`,
    )
  }
  const offline = /^(1|on|yes|true)$/i.test(environment['HF_HUB_OFFLINE'] ?? '')
  return { url, ...found, offline, mirrored: url !== hubUrlDefault }
}

function findToken(
  given: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): { token: string | undefined; tokenFrom: string } {
  if (given?.startsWith('env:')) {
    const name = given.slice('env:'.length)
    const token = environment[name]?.trim()
    if (!token)
      throw new HubAccessError(`The Hub token is given as ${given}, but ${name} is not set: export ${name}=hf_…`)
    return { token, tokenFrom: name }
  }
  if (given !== undefined) return { token: given.trim(), tokenFrom: 'the option token' }
  const token = environment['HF_TOKEN']?.trim()
  if (token) return { token, tokenFrom: 'HF_TOKEN' }
  const path = tokenPath(environment)
  return { token: readToken(path), tokenFrom: path }
}

function tokenPath(environment: Readonly<Record<string, string | undefined>>): string {
  const cache = environment['XDG_CACHE_HOME'] ?? join(environment['HOME'] ?? homedir(), '.cache')
  return environment['HF_TOKEN_PATH'] ?? join(environment['HF_HOME'] ?? join(cache, 'huggingface'), 'token')
}

function readToken(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new HubAccessError(`The Hub token file ${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}
