/** `kun-stream units ls|retry|bisect|skip DIR`: the units of a divided run, and what to do about those that fail. */
import type { Command } from 'commander'
import { addCommand } from '../command-summaries.js'
import { wholeNumber } from '../option-numbers.js'
import { addQueueOptions, durationOption } from '../queue/queue-options.js'
import type { BisectFlags, TrialFlags, UnitsFlags } from '../queue/units-flags.js'
import { setOption } from '../recipe-options.js'

const where = 'run that was prepared: a directory, or s3://bucket/prefix'

export function registerUnits(program: Command): void {
  const units = addCommand(program, 'units')
  addQueueOptions(units.command('ls'), false)
    .description('list units that are in hand or failed, and how many there are of each state')
    .argument('<dir>', where)
    .option('--all', 'list every unit')
    .option('--json', 'print one JSON object per line, for every unit')
    .action(async (dir: string, flags: UnitsFlags) => (await import('../queue/units.js')).listUnits(dir, flags))
  addQueueOptions(units.command('retry'), true)
    .description('put units that were set aside back in the queue, before all others')
    .argument('<dir>', where)
    .argument('[unit...]', 'ids; with --all: every unit that was set aside')
    .option('--all', 'every unit that was set aside')
    .action(async (dir: string, ids: string[], flags: UnitsFlags) =>
      (await import('../queue/units.js')).retryUnits(dir, ids, flags),
    )
  addQueueOptions(units.command('bisect'), false)
    .description('find the records that make a unit fail, by attempts at parts of it, and reject them')
    .argument('<dir>', where)
    .argument('<unit>', 'id of the unit, as units ls prints it')
    .addOption(setOption())
    .option('--trust', 'accept the servers named in a run.json that another account wrote')
    .option('--timeout <duration>', 'an attempt that takes longer has failed', durationOption, 3_600_000)
    .option('--max <count>', 'decide nothing if there are more bad records', wholeNumber(1), 10)
    .action(async (dir: string, id: string, flags: BisectFlags) =>
      (await import('../queue/units.js')).bisectUnit(dir, id, flags),
    )
  addQueueOptions(units.command('skip'), false)
    .description('reject every record of a unit, with the reason unit-poison')
    .argument('<dir>', where)
    .argument('<unit>', 'id of the unit, as units ls prints it')
    .action(async (dir: string, id: string, flags: UnitsFlags) =>
      (await import('../queue/units.js')).skipUnit(dir, id, flags),
    )
  units
    .command('trial', { hidden: true })
    .description('make an attempt at some records of a unit, without a result')
    .argument('<dir>', where)
    .argument('<unit>', 'id of the unit, as units ls prints it')
    .requiredOption('--records <file>', 'JSON array of their ids')
    .addOption(setOption())
    .option('--trust', 'accept the servers named in a run.json that another account wrote')
    .action(async (dir: string, id: string, flags: TrialFlags) =>
      (await import('../queue/units.js')).tryUnit(dir, id, flags),
    )
}
