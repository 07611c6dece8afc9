import { readCertificate } from '../../identity/certificate.ts';
import { listContexts, readContext } from '../client/context-files.ts';
import { chooseContext } from '../client/contexts.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { linesOf, writeAll } from '../output.ts';
import { RunningTable } from '../records/running-table.ts';
import { coarse } from '../render/duration.ts';
import { isoTime } from '../render/iso-time.ts';
import { jsonText } from '../render/json.ts';
import { painterFor } from '../render/paint.ts';
import type { Column } from '../render/table.ts';

interface Shown {
  name: string;
  inUse: boolean;
  /** null: of this machine, or damaged; then `trouble` says so. */
  operator: string | null;
  cell: string | null;
  addresses: string[];
  notAfterMs: number | null;
  trouble: string | null;
}

export const run = async ({ flags, paths, stdout, stderr, env, named, signal }: CommandContext): Promise<number> => {
  const chosen = chooseContext(paths, named, env);
  const shown: Shown[] = [{ ...NOTHING, name: 'local', inUse: chosen.name === null }];
  for (const name of await listContexts(paths)) {
    shown.push(
      await readContext(paths, name).then(
        ({ operator, cell, addresses, certificatePem }) => ({
          ...{ name, operator, cell, addresses, trouble: null, inUse: chosen.name === name },
          notAfterMs: readCertificate(certificatePem).notAfterMs,
        }),
        (error: Error) => ({ ...NOTHING, name, inUse: chosen.name === name, trouble: error.message }),
      ),
    );
  }
  if (flags.output === 'json') {
    stdout.write(`${jsonText({ schema: 'fleet.contexts/v1', contexts: shown.map(contextObject) })}\n`);
    return EXIT.done;
  }
  const table = new RunningTable(columnsAt(Date.now()), painterFor(stdout, env));
  await writeAll(stdout, linesOf(table.lines(shown)), signal);
  for (const { trouble } of shown) if (trouble !== null) stderr.write(`fleet: ${trouble}\n`);
  return EXIT.done;
};

const NOTHING = { operator: null, cell: null, addresses: [], notAfterMs: null, trouble: null };
const SECOND_MS = 1_000;

const columnsAt = (nowMs: number): readonly Column<Shown>[] => [
  { title: 'CONTEXT', cell: ({ name, inUse }) => (inUse ? `${name} *` : name) },
  { title: 'CELL', cell: ({ cell }) => cell ?? '-' },
  { title: 'AS', cell: ({ name, operator }) => operator ?? (name === 'local' ? 'this machine' : 'damaged') },
  {
    title: 'CERT',
    cell: ({ notAfterMs }) =>
      notAfterMs === null ? '-' : notAfterMs > nowMs ? coarse(Math.floor((notAfterMs - nowMs) / SECOND_MS)) : 'ended',
  },
  { title: 'CONTROLLER', cell: ({ addresses }) => addresses.join(' ') || '-' },
];

const contextObject = ({ name, inUse, operator, cell, addresses, notAfterMs }: Shown) => ({
  name,
  in_use: inUse,
  operator,
  cell,
  addresses,
  certificate_not_after: isoTime(notAfterMs ?? 0),
});
