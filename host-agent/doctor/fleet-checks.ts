/** What the rows themselves say is wrong, by flag, and what this host lets others do. */
import type { Finding } from '../../src/wire/gen/fleet/v1/view.ts';
import { readHostPolicy } from '../policy/host-policy.ts';
import type { DiagnoseOptions } from './diagnose-options.ts';
import { failed, few, ok, warning } from './finding.ts';

/** Flags that have a check of their own are not here. */
const MENDS: Record<string, { why: string; mend: (names: string[]) => string }> = {
  DRIFT: {
    why: 'the pane runs another program than the roster says',
    mend: () => 'look at the pane, or correct the roster',
  },
  MISSING: {
    why: 'the roster names them, and there is no session',
    mend: (names) => `fleet start ${names.join(' ')}`,
  },
  'MODEL-DRIFT': {
    why: 'the agent reports another model than the roster says',
    mend: (names) => `correct the roster, or fleet restart ${names.join(' ')}`,
  },
  'FOREIGN-HEARTBEAT': {
    why: 'the beat comes from a process outside the pane',
    mend: () => 'look for a second copy of the agent',
  },
  'VERSION-SKEW': {
    why: 'they were launched by another version of the launcher than is installed now: what is new sleeps until a restart',
    mend: (names) => `when they can be spared: fleet restart ${names.join(' ')}`,
  },
  'CRASH-LOOP': {
    why: 'they were restarted three times or more within ten minutes',
    mend: ([first = 'AGENT']) => `fleet tail ${first} --last-run says what it showed before it died`,
  },
};

export const flagged = ({ inventory }: DiagnoseOptions): Finding[] =>
  Object.entries(MENDS).flatMap(([flag, { why, mend }]) => {
    const names = inventory.rows.filter(({ flags }) => flags.includes(flag)).map(({ agent }) => agent);
    return names.length === 0 ? [] : [warning(flag, few(names), why, mend(names))];
  });

export const policy = ({ config }: DiagnoseOptions): Finding => {
  const { control, federated, takeover, problem } = readHostPolicy(config.paths.config);
  return problem === null
    ? ok(
        'policy',
        `control ${control}, takeover ${takeover ? 'allowed' : 'refused'}, callers of other cells ${federated}`,
      )
    : failed('policy', problem, 'until it can be read, nothing but looking is allowed here', 'mend that file');
};
