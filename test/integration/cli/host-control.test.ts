import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostPolicyFile } from '../../../src/cli/install/host-policy.ts';
import { type Ran, runFleetProgram } from '../../helpers/fleet-program.ts';
import { hostFacts } from '../../helpers/host-agent.ts';
import { ServedView } from '../../helpers/served-view.ts';

let served: ServedView;
let file: string;
beforeEach(async () => {
  served = new ServedView();
  file = hostPolicyFile(served.paths);
  await served.start();
});
afterEach(() => served.dispose());

const fleet = (...args: string[]): Promise<Ran> =>
  runFleetProgram(['--instance', served.instance, 'host', 'control', ...args], { HOME: served.home });
const put = (text: string): void => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
};

test('on this host the file is changed, closed to others, with every other key as it was', async () => {
  put('{"control":"send","takeover":false,"federated":"send"}');
  expect(await fleet('W-jarvis', 'deploy')).toMatchObject({
    code: 0,
    stdout: 'W-jarvis/jarvis: control send -> deploy, takeover no, for other cells send, takeover no\n',
  });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ control: 'deploy', takeover: false, federated: 'send' });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect((await fleet('W-jarvis/jarvis', '--takeover', 'yes')).stdout).toContain('takeover no -> yes');
  expect((await fleet('W-jarvis')).stdout).toBe(
    'W-jarvis/jarvis: control deploy, takeover yes, for other cells send, takeover no\n',
  );
});

test('what callers of other cells may do is changed apart', async () => {
  const { stdout } = await fleet('W-jarvis', '--federated', 'send', '--federated-takeover', 'yes');
  const words = 'for other cells observe -> send, takeover no -> yes';
  expect(stdout).toBe(`W-jarvis/jarvis: control lifecycle, takeover yes, ${words}\n`);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    control: 'lifecycle',
    federated: 'send',
    federated_takeover: true,
  });
});

test('without a file it shows what holds without one, and writes none', async () => {
  expect((await fleet('W-jarvis')).stdout).toBe(
    'W-jarvis/jarvis: control lifecycle, takeover yes, for other cells observe, takeover no\n',
  );
  const { stdout, stderr } = await fleet('W-jarvis', 'deploy', '--dry-run', '-o', 'json');
  expect(stderr).toBe('dry run: nothing was changed\n');
  expect(JSON.parse(stdout)).toMatchObject({
    schema: 'fleet.host-control/v1',
    hosts: [{ host: 'W-jarvis', before: { control: 'lifecycle' }, after: { control: 'deploy', takeover: true } }],
  });
  expect(Object.keys(JSON.parse(stdout).hosts[0].after).sort()).toEqual([
    'control',
    'federated',
    'federated_takeover',
    'takeover',
  ]);
  expect(existsSync(file)).toBe(false);
});

test('a file that is no policy is not written over', async () => {
  put('{"control":"send",}');
  const { code, stderr } = await fleet('W-jarvis', 'deploy');
  expect(code).toBe(8);
  expect(stderr).toContain('it is no JSON');
  expect(readFileSync(file, 'utf8')).toBe('{"control":"send",}');
});

test('another host shows what it says of itself; to change it, ssh must know it', async () => {
  served.put({ here: true });
  const facts = hostFacts({ hostNowMs: Date.now(), control: 'observe' });
  served.put({ id: 'dragon-lin/jwoltje', host: 'dragon-lin', user: 'jwoltje', facts });
  expect((await fleet('dragon-lin')).stdout).toBe('dragon-lin/jwoltje: control observe\n');
  const { code, stderr } = await fleet('dragon-lin', 'deploy');
  expect(code).toBe(4);
  expect(stderr).toContain('not added over ssh from here: name it USER@MACHINE, or run this command on it');
  expect((await fleet('nowhere')).code).toBe(4);
});

test.each([
  ['W-jarvis', 'everything'],
  ['W-jarvis', '--takeover', 'maybe'],
  ['W-jarvis', '--federated', 'deploy'],
])('%j is refused as usage', async (...words) => {
  expect((await fleet(...words)).code).toBe(2);
  expect(existsSync(file)).toBe(false);
});
