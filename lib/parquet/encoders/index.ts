/** Chooses the encoder that the recipe names. */
import { z } from 'zod'
import { InvalidOptionError } from '../../errors.js'
import type { Encoder } from './types.js'

/** zstd belongs to hyparquet-writer; gzip (the default there) and snappy to parquetjs-lite. */
export const encoderOptions = z.strictObject({
  encoder: z
    .enum(['hyparquet-writer', 'parquetjs-lite'])
    .default('hyparquet-writer')
    .describe('Parquet writer library'),
  codec: z
    .enum(['zstd', 'gzip', 'snappy'])
    .optional()
    .describe('zstd (hyparquet-writer), gzip or snappy (parquetjs-lite); by default zstd or gzip'),
})
export type EncoderOptions = z.infer<typeof encoderOptions>

/**
 * Returns the encoder for the options; hyparquet-writer with zstd by default.
 *
 * @throws {InvalidOptionError} the library does not write the codec
 */
export async function parquetEncoder(options: z.input<typeof encoderOptions> = {}): Promise<Encoder> {
  const { encoder, codec } = encoderOptions.parse(options)
  if (encoder === 'hyparquet-writer' && (codec ?? 'zstd') === 'zstd') {
    const { hyparquetEncoder } = await import('./hyparquet.js')
    return hyparquetEncoder()
  }
  if (encoder === 'parquetjs-lite' && codec !== 'zstd') {
    const { parquetjsEncoder } = await import('./parquetjs.js')
    return parquetjsEncoder(codec)
  }
  throw new InvalidOptionError(
    `the encoder ${encoder} does not write ${codec}: hyparquet-writer writes zstd, parquetjs-lite gzip or snappy`,
  )
}

/** Returns the library, codec, level and versions, which determine the bytes of the files, for run.json. */
export async function encoderIdentity(options: z.input<typeof encoderOptions> = {}): Promise<string> {
  return (await parquetEncoder(options)).identity
}

export type { Encoder } from './types.js'
