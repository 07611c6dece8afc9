/**
 * The wiring of what a controller keeps on disk: its store, its authorities and its audit. Nobody else has the folder open.
 * Nothing is decided here.
 */
import { join } from 'node:path';
import { Authorities } from '../src/identity/authorities.ts';
import { authorityCell } from '../src/identity/authority.ts';
import type { Composition } from '../src/runtime/composition.ts';
import { ownFolder } from '../src/runtime/socket-claim.ts';
import { AuditLog } from './audit/audit-log.ts';
import { openBodyMac } from './audit/body-mac.ts';
import { type ControllerConfig, DEFAULT_CELL } from './config.ts';
import { Epochs } from './store/epochs.ts';
import { LastKnown } from './store/last-known.ts';
import { openRecords } from './store/records.ts';
import { acquireSoleOwnership } from './store/sole-owner.ts';
import { SqliteStore } from './store/sqlite-store.ts';
import { adoptTenants } from './tenancy/adopt-tenants.ts';

export interface StateParts extends Composition {
  config: ControllerConfig;
}

export const composeState = async ({ config, clock, part, shutdown }: StateParts) => {
  const { state } = config.paths;
  const folder = join(state, 'controller');
  ownFolder(state);
  ownFolder(folder);
  const lock = acquireSoleOwnership(join(folder, 'controller.lock'), 'a controller');
  shutdown.add('lock', () => lock[Symbol.dispose]());

  const store = new SqliteStore(join(folder, 'controller.db'));
  store.start();
  shutdown.add('store', () => store.stop());
  const records = await openRecords(store);
  await adoptTenants(records, clock.nowMs());
  const lastKnown = new LastKnown(store, part('last-known'));
  lastKnown.start();
  shutdown.add('last known', () => lastKnown.stop());
  const epochs = await Epochs.open(store, clock.nowMs());
  const cell = config.cell ?? (await authorityCell(folder)) ?? DEFAULT_CELL;
  const authority = await Authorities.open(folder, cell, clock.nowMs());
  const audit = new AuditLog(store, clock, part('audit'), { cell });
  await audit.start();
  shutdown.add('audit', () => audit.stop());
  await audit.closeLeft();
  const bodyMac = await openBodyMac(join(folder, 'audit.key'));
  return { folder, store, records, lastKnown, epochs, cell, authority, audit, bodyMac };
};
