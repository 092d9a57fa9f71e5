/** Converts single stages and sinks to Node streams, for `stream.pipeline` without a graph. */
import { Duplex, type Writable } from 'node:stream'
import { from, type ValuesOptions } from './graph.js'
import type { OrderedSink } from './sink-node.js'
import type { Stage } from './types.js'

/**
 * Returns a stage as a Transform in object mode: values in, emitted values out, in input order.
 *
 * Values that the stage drops or fails are passed to `onSettled`; without it they are discarded.
 */
export function stageStream<In, Out, Settled = Out>(
  stage: Stage<In, Out, Settled>,
  options: ValuesOptions<In | Settled> = {},
): Duplex {
  return Duplex.from((values: AsyncIterable<In>) => from(values).via(stage).values(options))
}

/** Returns a sink as a Writable in object mode; 'finish' is emitted after the sink has ended. */
export function sinkStream<T>(sink: OrderedSink<T, never>): Writable {
  return Duplex.from(async (values: AsyncIterable<T>) => {
    await from(values).to(sink).run().done
  })
}
