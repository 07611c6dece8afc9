import { expect, test } from 'vitest';
import { unitOfPath } from '../../../../host-agent/systemd/manager.ts';

const UNIT = '/org/freedesktop/systemd1/unit/';

test.each([
  [`${UNIT}mosaic_2dagent_40canary_2dpi_2eservice`, 'mosaic-agent@canary-pi.service'],
  [`${UNIT}a_5cx2db_2eservice`, 'a\\x2db.service'],
  [`${UNIT}_c3_bc_2eservice`, 'ü.service'],
  [`${UNIT}a_zz`, null],
  [`${UNIT}a_`, null],
  ['/org/freedesktop/systemd1', null],
  ['/somewhere/else', null],
])('%s is %s', (path, name) => {
  expect(unitOfPath(path)).toBe(name);
});
