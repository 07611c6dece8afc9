/** What it costs to judge one agent against the grants of a peer, and a whole snapshot of rows for its stream. */
import { GrantedRows } from '../../../controller/registry/granted-rows.ts';
import { namedTo } from '../../../controller/tenancy/named-to.ts';
import { type AgentPlace, compileGrants, GRANT_VERBS, type GrantTerms } from '../../../src/domain/grant.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { FleetView } from '../../../src/view/fleet-view.ts';
import { encodeAgentRow } from '../../../src/wire/agent-row.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { type Figure, figure, measured } from '../harness/figure.ts';
import { MachineLoad } from '../harness/process-cost.ts';
import { summary } from '../harness/statistics.ts';

const GRANTS = 50;
const CHECKS = 2_000;
const ROUNDS = 50;
const ROWS = 10_000;
const REACH_US = 50;

/** The last one alone covers what is asked for, by its last patterns: no check ends early. */
const grants: GrantTerms[] = Array.from({ length: GRANTS }, (_, at) => ({
  id: `g${at}`,
  tenants: ['acme', 'default'],
  hosts: ['w-*', `dragon-${at}*`, 'dragon-*/a*'],
  agents: ['review*', '*-notes-?', at === GRANTS - 1 ? 'coder*-?' : `never-${at}*`],
  verbs: [...GRANT_VERBS],
  rowLimit: ROWS,
}));

const placeOf = (at: number): AgentPlace => ({
  tenantId: 'acme',
  host: `dragon-lin-${at % 97}`,
  user: 'ada',
  agent: `coder${at}-0`,
});

/** Microseconds for each of so many checks, round after round. */
const checked = (): number[] => {
  const set = compileGrants(grants);
  const places = Array.from({ length: CHECKS }, (_, at) => placeOf(at));
  return Array.from({ length: ROUNDS }, () => {
    const startMs = performance.now();
    for (const place of places) if (!set.allows('send', place)) throw new Error(`${place.agent} is not granted`);
    return ((performance.now() - startMs) * 1_000) / CHECKS;
  });
};

/** Microseconds for each row of a stream that begins: the first has never been looked at, later ones have. */
const streamed = (): number[] => {
  const view = new FleetView({ clock: systemClock });
  const link = { linkState: 'connected', linkReason: null, linkSinceMono: 0, facts: null, heardAtMono: 0 } as const;
  const place = { id: 'dragon-lin/ada', cell: 'home', host: 'dragon-lin', user: 'ada', tenantId: 'acme', here: false };
  view.putHostAgent({ ...place, ...link, clockSkewMs: null, behind: null });
  for (let at = 0; at < ROWS; at++) {
    const row = agentRow({ key: `k${at}`, agent: `coder${at}-0` });
    view.putRow('dragon-lin/ada', row.key, encodeAgentRow(row));
  }
  const records = [...view.rowsOf('dragon-lin/ada').values()];
  return Array.from({ length: 10 }, () => {
    const rows = new GrantedRows(view, compileGrants(grants), namedTo('partner', 'home'));
    const startMs = performance.now();
    for (const record of records) if (rows.judge(record, false) === 'tell') rows.bytesOf(record);
    if (rows.withheld > 0) throw new Error(`${rows.withheld} rows are not granted`);
    return ((performance.now() - startMs) * 1_000) / ROWS;
  });
};

export const grantCheck: Figure = figure({
  name: 'grant-check',
  about: `one agent against ${GRANTS} grants of a peer; ${ROWS} rows of a peer's stream that begins`,
  place: async () => ({ [Symbol.asyncDispose]: async () => undefined }),
  async *measure() {
    const load = new MachineLoad();
    const checks = checked();
    yield measured('grant-check.check', summary(checks).median, 'us', REACH_US, {
      us: summary(checks),
      grants: GRANTS,
      machine_busy_percent: load.busyPercent,
    });
    const [first, ...later] = streamed();
    yield measured('grant-check.row', summary(later).median, 'us', null, {
      us: summary(later),
      first_us: first,
      rows: ROWS,
      machine_busy_percent: load.busyPercent,
    });
  },
});
