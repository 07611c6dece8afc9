import { describe, expect, test } from 'vitest';
import {
  agentUnitText,
  holderUnitText,
  isOurUnitText,
  sharedAgentUnitText,
} from '../../../../host-agent/launch/agent-unit.ts';
import type { LaunchGround } from '../../../../host-agent/launch/launch-paths.ts';
import type { RosterAgent } from '../../../../src/domain/roster.ts';
import { rosterAgent } from '../../../helpers/desired.ts';

const ground = (over: Partial<LaunchGround> = {}): LaunchGround => ({
  home: '/home/u',
  state: '/home/u/.local/state/fleet',
  share: '/home/u/.local/share/fleet',
  mosaicHome: '/home/u/.config/mosaic',
  tmuxTmpdir: '/tmp',
  ...over,
});

const agent = (over: Partial<RosterAgent> = {}): RosterAgent =>
  rosterAgent('coder0', { socketName: 'fleet-coder0', ...over });

const settings = (text: string, key: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));

describe('the unit of an agent with a tmux server of its own', () => {
  const text = agentUnitText(agent(), ground());

  test('prepares each start by the installed launcher, then runs the server in its foreground', () => {
    expect(settings(text, 'Type')).toEqual(['exec']);
    expect(settings(text, 'ExecStartPre')).toEqual([
      '/home/u/.local/share/fleet/current/bin/fleet-launch prepare coder0',
    ]);
    const folder = '/home/u/.local/state/fleet/launch/coder0';
    expect(settings(text, 'ExecStart')).toEqual([`/bin/sh ${folder}/server.sh`]);
    expect(settings(text, 'ExecStop')).toEqual([`-/bin/sh ${folder}/stop.sh`]);
    expect(settings(text, 'ExecStopPost')).toEqual([`/bin/sh ${folder}/finish.sh`]);
    expect(settings(text, 'WantedBy')).toEqual(['default.target']);
  });

  test.each([
    [{ lifecycle: 'core' }, 'always'],
    [{ lifecycle: 'ephemeral' }, 'no'],
    [{ lifecycle: null }, 'always'],
    [{ lifecycle: 'ephemeral', restart: 'on-failure' }, 'on-failure'],
    [{ lifecycle: 'core', restart: 'no' }, 'no'],
  ] as const)('restarts by lifecycle, unless the roster says how: %j', (over, restart) => {
    expect(settings(agentUnitText(agent(over), ground()), 'Restart')).toEqual([restart]);
  });

  test('does not end because a child of the agent ran out of memory', () => {
    expect(settings(text, 'OOMPolicy')).toEqual(['continue']);
  });

  test('gives up on an agent that crashes again and again, but not within a minute without network at boot', () => {
    const [unitSection] = text.split('[Service]');
    const number = (section: string, name: string): number => Number(settings(section, name)[0]);
    const [interval, burst] = ['StartLimitIntervalSec', 'StartLimitBurst'].map((name) => number(unitSection!, name));
    const delay = number(text, 'RestartSec');
    expect((burst! - 1) * delay).toBeGreaterThan(60);
    // One that lives for a quarter of a minute each time is still a crash loop.
    expect((burst! - 1) * (delay + 15)).toBeLessThan(interval!);
  });

  test('holds nothing of the agent’s environment: everybody can read a unit', () => {
    const secretive = agent({ env: new Map([['KEY', 'hush']]), envFile: '/home/u/secrets', command: 'run --key hush' });
    expect(agentUnitText(secretive, ground())).toBe(text);
  });

  test('is the same text for the same roster', () => {
    expect(agentUnitText(agent({ model: 'm' }), ground())).toBe(text);
  });
});

test('data and sockets that lie elsewhere are where the launcher and tmux look, too', () => {
  const text = agentUnitText(agent(), ground({ mosaicHome: '/data/my mosaic', tmuxTmpdir: '/run/50%' }));
  expect(settings(text, 'Environment')).toEqual(['"MOSAIC_HOME=/data/my mosaic"', 'TMUX_TMPDIR=/run/50%%']);
  expect(settings(agentUnitText(agent(), ground()), 'Environment')).toEqual([]);
});

test('a home whose name systemd would change is written so that it does not', () => {
  const home = '/home/o"\\ $HOME%h';
  const text = agentUnitText(agent(), ground({ share: `${home}/share`, state: `${home}/state` }));
  expect(settings(text, 'ExecStartPre')).toEqual([
    '"/home/o\\"\\\\ $$HOME%%h/share/current/bin/fleet-launch" prepare coder0',
  ]);
});

test('the units of a shared layout make one session on the holder’s server, and end no other', () => {
  const text = sharedAgentUnitText(agent({ layout: 'shared' }), ground());
  expect(settings(text, 'Type')).toEqual(['oneshot']);
  expect(settings(text, 'RemainAfterExit')).toEqual(['yes']);
  expect(settings(text, 'Requires')).toEqual(['mosaic-tmux-holder.service']);
  expect(settings(text, 'KillMode')).toEqual(['process']);
  expect(settings(holderUnitText(ground()), 'ExecStart')).toEqual([
    '/bin/sh /home/u/.local/state/fleet/launch/_holder/server.sh',
  ]);
});

test('fleet knows its own units from those of others', () => {
  for (const text of [
    agentUnitText(agent(), ground()),
    sharedAgentUnitText(agent(), ground()),
    holderUnitText(ground()),
  ])
    expect(isOurUnitText(text)).toBe(true);
  expect(isOurUnitText('[Unit]\nDescription=Mosaic fleet agent %i # X-Fleet-Agent=a\n')).toBe(false);
});
