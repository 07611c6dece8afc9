import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { hostPolicyPath, readHostPolicy, takeoverRefusal } from '../../../../host-agent/policy/host-policy.ts';

const folder = mkdtempSync(join(tmpdir(), 'fleet-policy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Who may take over under this document; null is no file. */
const may = (document: unknown): { own: boolean; federated: boolean } => {
  rmSync(hostPolicyPath(folder), { force: true });
  if (document !== null) writeFileSync(hostPolicyPath(folder), JSON.stringify(document));
  const policy = readHostPolicy(folder);
  return {
    own: takeoverRefusal(policy, { federated: false }, 'h') === null,
    federated: takeoverRefusal(policy, { federated: true }, 'h') === null,
  };
};

test.for([
  ['no file', null, true, false],
  ['nothing said', {}, true, false],
  ['control that lets nobody type', { control: 'observe' }, false, false],
  ['send', { control: 'send' }, true, false],
  ['forbidden where sending is not', { control: 'deploy', takeover: false }, false, false],
  ['allowed where nobody may type', { control: 'observe', takeover: true }, false, false],
  ['other cells that may do everything else', { federated: 'deploy' }, true, false],
  ['other cells, said so', { federated: 'send', federated_takeover: true }, true, true],
  ['other cells that only look', { federated_takeover: true }, true, false],
  ['a file that is no policy', { control: 'everything' }, false, false],
] as const)('takeover under %s', ([, document, own, federated]) => expect(may(document)).toEqual({ own, federated }));

test('a file that cannot be read says so in the refusal', () => {
  writeFileSync(hostPolicyPath(folder), '{');
  expect(takeoverRefusal(readHostPolicy(folder), { federated: false }, 'h')).toMatch(/cannot be read/);
});

test.for([
  [{ takeover: false }, 'fleet host control W-jarvis --takeover yes'],
  [{ control: 'observe' }, 'fleet host control W-jarvis send --takeover yes'],
] as const)('a refusal under %o names the command that allows it', ([document, command]) => {
  writeFileSync(hostPolicyPath(folder), JSON.stringify(document));
  expect(takeoverRefusal(readHostPolicy(folder), { federated: false }, 'W-jarvis')).toMatch(new RegExp(`${command}$`));
});
