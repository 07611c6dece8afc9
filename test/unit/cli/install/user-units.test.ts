import { expect, test } from 'vitest';
import { CONTROLLER_UNIT, daemonUnitText, HOST_AGENT_UNIT } from '../../../../src/cli/install/user-units.ts';

const ID = '1.0.0-0123456789ab';
const settingsOf = (text: string, key: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));

test('a unit runs the version that it names, from the home and from no checkout', () => {
  expect(settingsOf(daemonUnitText(HOST_AGENT_UNIT, ID), 'ExecStart')).toEqual([
    `%h/.local/share/fleet/versions/${ID}/bin/fleet-host-agent`,
  ]);
  expect(settingsOf(daemonUnitText(CONTROLLER_UNIT, ID), 'ExecStart')).toEqual([
    `%h/.local/share/fleet/versions/${ID}/bin/fleet-controller`,
  ]);
});

test("stopping the host-agent's unit signals the host-agent only", () => {
  expect(settingsOf(daemonUnitText(HOST_AGENT_UNIT, ID), 'KillMode')).toEqual(['process']);
});

test('a daemon comes back for ever and at boot', () => {
  const text = daemonUnitText(HOST_AGENT_UNIT, ID);
  expect(settingsOf(text, 'Restart')).toEqual(['always']);
  expect(settingsOf(text, 'StartLimitIntervalSec')).toEqual(['0']);
  expect(settingsOf(text, 'WantedBy')).toEqual(['default.target']);
});

test('the text depends on the version alone, so that the same version is the same text', () => {
  expect(daemonUnitText(HOST_AGENT_UNIT, ID)).toBe(daemonUnitText(HOST_AGENT_UNIT, ID));
  expect(daemonUnitText(HOST_AGENT_UNIT, ID)).not.toBe(daemonUnitText(HOST_AGENT_UNIT, '1.0.0-ffffffffffff'));
});

test('nothing hides /tmp, where the tmux sockets are', () => {
  expect(daemonUnitText(HOST_AGENT_UNIT, ID)).not.toMatch(/PrivateTmp|ProtectSystem|ProtectHome|InaccessiblePaths/);
});
