/** run.json of a divided run, and the recipe in it. */
import { differences } from '../core/difference.js'
import { version } from '../core/version.js'
import { RunMismatchError, UsageError } from '../errors.js'
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import { parseRecipe, type Recipe } from '../recipe/index.js'
import { pinnedRecipe } from '../recipe/recipe-lock.js'
import { changedVersions } from '../run/run-record.js'
import { parseRunRecord, type RunRecord } from '../sinks/index.js'
import { runRecordName } from '../storage/run-layout.js'

/** Reads run.json of a store. @throws {UsageError} nothing was prepared there */
export async function readUnitRecord(store: ObjectStore): Promise<RunRecord> {
  const bytes = await store.get(runRecordName)
  if (bytes === null) {
    throw new UsageError(
      say`${store.url} has no ${runRecordName}: prepare a recipe there first, with kun-stream prepare RECIPE --out ${store.url}`,
    )
  }
  return parseRunRecord(bytes, `${store.url}/${runRecordName}`)
}

/** @throws {RunMismatchError} the pinned values differ */
export function mustBeSameRun(found: RunRecord, wanted: RunRecord, url: string): void {
  mustBeEqual(found.pinned, wanted.pinned, url)
}

/**
 * Returns the recipe of a divided run, with overrides that do not change its rows.
 *
 * @throws {RunMismatchError} another version of kun-stream prepared it, or an override changes the rows
 */
export function unitRecipe({ pinned, free }: RunRecord, url: string, overrides: readonly string[]): Recipe {
  const [changed] = changedVersions(pinned)
  if (pinned.version !== version || changed !== undefined) {
    const [name, before, now] = changed ?? ['version', pinned.version, version]
    throw new RunMismatchError(
      say`${url} was prepared with ${name} ${String(before)}, this version of kun-stream has ${String(now)}: use one
        version for all units`,
    )
  }
  const recipe = parseRecipe(JSON.stringify(free.recipe), `${url}/${runRecordName}`, [...overrides])
  mustBeEqual(pinned.recipe, pinnedRecipe(recipe), url)
  return recipe
}

function mustBeEqual(found: unknown, wanted: unknown, url: string): void {
  const differing = differences(JSON.parse(JSON.stringify(found)), JSON.parse(JSON.stringify(wanted)))
  if (differing.length === 0) return
  throw new RunMismatchError(
    say`${url} holds a run with other settings; rows of both cannot be mixed:\n ${differing.join('\n  ')}`,
    { details: { difference: differing.join('; ') } },
  )
}
