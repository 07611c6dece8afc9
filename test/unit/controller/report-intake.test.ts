import { expect, test } from 'vitest';
import { Registry } from '../../../controller/registry/registry.ts';
import { ReportIntake } from '../../../controller/uplink/report-intake.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { FleetView } from '../../../src/view/fleet-view.ts';
import { encodeAgentRow } from '../../../src/wire/agent-row.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { MovedClock } from '../../helpers/moved-clock.ts';

const who = { host: 'dragon-lin', user: 'jwoltje', tenantId: 'default' };
const id = 'dragon-lin/jwoltje';

test('a host that is refused for too many rows may come back once it has fewer', () => {
  const view = new FleetView({ clock: new MovedClock() });
  const intake = new ReportIntake(view, { rows: 10, bytes: 1_000 });
  const registry = new Registry({ cell: 'home', view, clock: new MovedClock(), log: silentLogger() });
  registry.enrolled(who);
  const report = (title: number, begin: boolean) => {
    const row = encodeAgentRow(agentRow({ key: 'a', reason: 'x'.repeat(title) }));
    return { snapshotBegin: begin, rows: [{ key: 'a', row }], removed: [], revision: 1n, complete: true };
  };
  intake.take(id, 'run1', report(10, true));
  for (let n = 0; n < 20; n++) expect(() => intake.take(id, 'run1', report(2_000, false))).toThrow(/more than/);
  intake.take(id, 'run1', report(20, false));
});

test('a row that is held has memory of its own: it keeps no frame alive, and nothing else', () => {
  const view = new FleetView({ clock: new MovedClock() });
  new Registry({ cell: 'home', view, clock: new MovedClock(), log: silentLogger() }).enrolled(who);
  const row = encodeAgentRow(agentRow({ key: 'a' }));
  const frame = Buffer.concat([Buffer.alloc(9_000), row]).subarray(9_000);
  const rows = [{ key: 'a', row: frame }];
  const report = { snapshotBegin: true, rows, removed: [], revision: 1n, complete: true };
  new ReportIntake(view).take(id, 'inventory', report);
  const held = view.rowsOf(id).get('a')?.row;
  expect(held?.equals(row)).toBe(true);
  expect(held?.buffer.byteLength).toBe(row.length);
});
