/** An error response in vLLM's format: a status and the body `{"error": {message, type, param, code}}`. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly type = 'BadRequestError',
    readonly param: string | null = null,
    readonly retryAfterSeconds?: number,
  ) {
    super(message)
  }

  body(): string {
    return JSON.stringify({
      error: { message: this.message, type: this.type, param: this.param, code: this.status },
    })
  }
}

export function contextLengthRefusal(contextTokensMax: number, promptTokens: number, maxTokens: number): Refusal {
  return new Refusal(
    400,
    `This model's maximum context length is ${contextTokensMax} tokens. However, you requested ` +
      `${promptTokens + maxTokens} tokens (${promptTokens} in the messages, ${maxTokens} in the completion). ` +
      'Please reduce the length of the messages or completion.',
  )
}

export function modelNotFound(model: string): Refusal {
  return new Refusal(404, `The model \`${model}\` does not exist.`, 'NotFoundError', 'model')
}

export function engineDead(): Refusal {
  return new Refusal(
    500,
    'EngineCore encountered an issue. See stack trace (above) for the root cause.',
    'InternalServerError',
  )
}

export function queueFull(retryAfterSeconds: number | undefined): Refusal {
  const message = 'The server is overloaded: its queue is full.'
  return new Refusal(503, message, 'ServiceUnavailableError', null, retryAfterSeconds)
}
