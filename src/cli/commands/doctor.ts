/** `fleet doctor`: what is wrong on a host, on all of them, or, with --fix, mended on this one. */
import type { CommandContext } from '../command.ts';
import { diagnoseAll } from '../doctor/all-hosts.ts';
import { askFindings, findingsHere } from '../doctor/ask-findings.ts';
import { anyFailed, findingLines, findingObject } from '../doctor/finding-text.ts';
import { fixHere } from '../doctor/fix-here.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonText } from '../render/json.ts';
import { painterFor } from '../render/paint.ts';
import { UsageError } from '../usage-error.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, paths, signal, stdout, env } = context;
  const [host = ''] = positionals;
  if (flags.all && (host !== '' || flags.fix)) throw new UsageError('--all looks at every host: no HOST, no --fix');
  if (!flags.fix && (flags.end !== undefined || flags['dry-run'])) throw new UsageError('that flag goes with --fix');
  if (paths.context !== null && !flags.all && (host === '' || flags.fix)) {
    throw new UsageError(
      `under context ${paths.context} a host is named: fleet doctor HOST, or --all; mends are made on the host itself`,
    );
  }
  if (flags.fix) return await fixHere(context, host);
  if (flags.all) return await diagnoseAll(context);
  const { answered, findings } =
    host === '' ? await findingsHere(paths, signal) : await askFindings(paths, host, signal);
  if (flags.output === 'json')
    stdout.write(`${jsonText({ schema: 'fleet.findings/v1', findings: findings.map(findingObject) })}\n`);
  else stdout.write(findingLines(findings, painterFor(stdout, env)).join(''));
  if (!answered) return EXIT.unreachable;
  return anyFailed(findings) ? EXIT.failed : EXIT.done;
};
