/** Opens the servers of one model alone. */
import type { ModelInput } from '../../lib/llm/options.js'
import { type ModelServers, type OpenServersOptions, openServers } from '../../lib/llm/scheduler/model-servers.js'
import type { Capabilities, Model } from '../../lib/llm/types.js'
import type { Replies } from '../../lib/storage/replies/replies.js'

export async function openModel({
  model,
  pinned,
  replies,
  ...options
}: Omit<OpenServersOptions, 'models' | 'pinned'> & {
  readonly model: ModelInput
  readonly pinned?: Capabilities
  readonly replies?: Replies
}): Promise<Model & { readonly servers: ModelServers }> {
  const name = model.model
  const servers = await openServers({
    ...options,
    models: { [name]: model },
    ...(pinned && { pinned: { [name]: pinned } }),
  })
  if (replies !== undefined) servers.useReplies(replies)
  return { ...servers.model(name), servers }
}
