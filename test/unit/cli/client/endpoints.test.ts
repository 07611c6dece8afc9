import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { adminEndpoint } from '../../../../src/cli/client/endpoints.ts';
import { type Paths, resolvePaths } from '../../../../src/runtime/paths.ts';

let home: string;
let paths: Paths;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'fleet-endpoints-'));
  paths = resolvePaths({ home, uid: 4_000_000, env: {} });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const ELSEWHERE = 'type this where the controller runs, as its user, or as an admin elsewhere with --context';

const enrol = (): void => {
  mkdirSync(join(paths.state, 'host-agent'), { recursive: true });
  writeFileSync(join(paths.state, 'host-agent/identity.json'), '{}');
};

test('where nothing was started, fleet up would start a controller', () => {
  expect(adminEndpoint(paths).mend).toBe(`${ELSEWHERE}; fleet up starts one here`);
});

test('where this user is enrolled with a controller elsewhere, fleet up starts none and is not offered', () => {
  enrol();
  expect(adminEndpoint(paths).mend).toBe(ELSEWHERE);
});

test('where the controller is this user’s own and stands still, fleet up is all that is to be typed', () => {
  enrol();
  mkdirSync(join(paths.state, 'controller'));
  expect(adminEndpoint(paths).mend).toBe('fleet up starts it');
});
