/** An error response of the simulated S3. */

export class S3Refusal extends Error {
  constructor(
    readonly status: number,
    /** 'NoSuchKey', 'PreconditionFailed' … */
    readonly code: string,
    message = code,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
  }
}
