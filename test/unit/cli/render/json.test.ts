import { expect, test } from 'vitest';
import { takePicture } from '../../../../src/cli/picture.ts';
import { agentsJson, hostsJson, jsonText } from '../../../../src/cli/render/json.ts';
import { EVERYTHING } from '../../../../src/domain/agent-filter.ts';
import { agentRow } from '../../../helpers/agent-row.ts';
import { mirrorOf } from '../../../helpers/fleet-mirror.ts';
import { hostAgent } from '../../../helpers/host-agent.ts';

const pictureOf = (agents: string[]) => {
  const host = hostAgent({ here: true });
  const rows = agents.map((agent, order): [string, ReturnType<typeof agentRow>] => [
    host.id,
    agentRow({ key: `k${order}`, agent, order }),
  ]);
  return takePicture(mirrorOf([host], rows), 0, { filter: EVERYTHING, localOnly: false, compare: null });
};

test('what JSON leaves raw is escaped for terminals, and reads back as the same value', () => {
  const hostile = 'a\x1b[2J\x9b31m\x7f\u202e\u200b\u2028\ufeff\u{e0041}z日本🚀';
  const text = jsonText({ title: hostile });
  expect(text).not.toMatch(/[\x00-\x1f\x7f-\x9f\u200b\u2028\u202e\ufeff]|\u{e0041}/u);
  expect(text).toContain('日本🚀');
  expect(JSON.parse(text)).toEqual({ title: hostile });
});

test('each such character is escaped, alone among others that are not', () => {
  for (const unsafe of ['\x7f', '\x80', '\x9f', '\xad', '\u200f', '\ufeff', '\u{e0041}']) {
    const text = jsonText({ title: `a${unsafe}z` });
    expect(text).toMatch(/^[\x20-\x7e]*$/);
    expect(JSON.parse(text)).toEqual({ title: `a${unsafe}z` });
  }
  expect(jsonText('ÿ日')).toBe('"ÿ日"');
});

test('the pieces of the document join to one, with every agent in the order of the table', () => {
  const document = JSON.parse([...agentsJson(pictureOf(['b', 'a', 'c/d']))].join(''));
  expect(document).toMatchObject({
    schema: 'fleet.agents/v1',
    cell: 'home',
    complete: true,
    hosts: [{ cell: 'home', host: 'W-jarvis', here: true, host_agents: [{ user: 'jarvis', tenant_id: 'default' }] }],
    agents: [{ agent: 'b' }, { agent: 'a' }, { agent: 'c%2Fd', address: 'home/W-jarvis/jarvis/c%2Fd' }],
  });
});

test('no agents are an empty list, not a broken document', () => {
  expect(JSON.parse([...agentsJson(pictureOf([]))].join('')).agents).toEqual([]);
  expect(JSON.parse([...hostsJson(pictureOf([]))].join(''))).toMatchObject({
    schema: 'fleet.hosts/v1',
    complete: true,
  });
});
