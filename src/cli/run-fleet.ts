/** One command line from arguments to exit code. Errors end here, as one line each; a reader that leaves is no error. */

import { cleanText } from '../domain/clean-text.ts';
import { BugError, FleetError } from '../domain/errors.ts';
import { resolvePaths } from '../runtime/paths.ts';
import { askedPaths } from './asked-paths.ts';
import type { CommandContext } from './command.ts';
import { specs } from './commands/specs.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import * as help from './help.ts';
import { machineFault } from './machine-fault.ts';
import { type Parsed, parseCommandLine } from './parse.ts';
import { UsageError } from './usage-error.ts';

export const runFleet = async (argv: readonly string[]): Promise<number> => {
  let streams = true;
  heedReaders(() => streams);
  try {
    const parsed = parseCommandLine(argv, specs);
    streams = parsed.kind === 'help' || parsed.spec.streams === true;
    if (parsed.kind === 'help') return printHelp(parsed);
    return await runVerb(parsed);
  } catch (error) {
    return report(error);
  }
};

const runVerb = async (parsed: Parsed & { kind: 'run' }): Promise<number> => {
  const { positionals, flags, instance } = parsed;
  const context: CommandContext = {
    positionals,
    flags,
    paths: askedPaths(parsed, resolvePaths({ instance }), process),
    named: parsed.context,
    env: process.env,
    // Opened by its first use: most verbs read nothing.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    signal: interruption(),
  };
  try {
    const command = await parsed.spec.load();
    return await command.run(context);
  } catch (error) {
    if (context.signal.aborted) return interruptedExit(context.signal);
    if (parsed.isBare && error instanceof FleetError && error.code === 'UNAVAILABLE') return sayHowToBegin(error);
    throw error;
  }
};

/** Shells name an end by a signal 128 + its number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const interruption = (): AbortSignal => {
  const controller = new AbortController();
  for (const name of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(SIGNALS[name]);
      controller.abort(name);
    });
  }
  return controller.signal;
};

const interruptedExit = (signal: AbortSignal): number => SIGNALS[signal.reason as keyof typeof SIGNALS] ?? EXIT.failed;

const printHelp = (parsed: Parsed & { kind: 'help' }): number => {
  const { spec, group } = parsed;
  process.stdout.write(spec ? help.verbHelp(spec) : group ? help.groupHelp(group, specs) : help.overview(specs));
  return EXIT.done;
};

const sayHowToBegin = (error: FleetError): number => {
  process.stderr.write(
    [
      `fleet: ${cleanText(error.message)}`,
      '',
      '  fleet up                      start a controller and a host-agent on this machine',
      '  fleet host add USER@MACHINE   then add another machine over ssh',
      '  fleet host join < TOKEN       or enrol this one with a controller elsewhere',
      '  fleet doctor                  what is wrong, and its mend',
      '',
    ].join('\n'),
  );
  return EXIT.unreachable;
};

const report = (error: unknown): number => {
  if (error instanceof UsageError) {
    process.stderr.write(`fleet: ${cleanText(error.message)}\n`);
    return EXIT.usage;
  }
  if (error instanceof FleetError) {
    process.stderr.write(`fleet: ${cleanText(error.message)}\n`);
    return exitCodeOf[error.code];
  }
  const fault = machineFault(error);
  if (fault !== null) {
    process.stderr.write(`fleet: ${cleanText(fault)}\n`);
    return EXIT.failed;
  }
  const bug = error instanceof BugError ? error : new BugError(String(error), { cause: error });
  process.stderr.write(`fleet: ${cleanText(bug.message)}\n${error instanceof Error ? (error.stack ?? '') : ''}\n`);
  return EXIT.failed;
};

/**
 * `fleet ps | head`: the reader has what it wanted, and a view ends. Any other verb goes on to its end, and its exit code tells
 * what came of it. What cannot be written otherwise, to a full disk, is a failure.
 */
const heedReaders = (streams: () => boolean): void => {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') {
        if (stream === process.stdout && streams()) process.exit(EXIT.done);
        return;
      }
      if (stream === process.stdout) process.stderr.write(`fleet: cannot write: ${error.message}\n`);
      process.exit(EXIT.failed);
    });
  }
};
