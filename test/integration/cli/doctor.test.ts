/** `fleet doctor` of all hosts, and its mends: the shipped program, a served host-agent, and systemctl that writes down its calls. */
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Finding } from '../../../src/wire/gen/fleet/v1/view.ts';
import { type Ran, runFleetProgram } from '../../helpers/fleet-program.ts';
import { ServedView } from '../../helpers/served-view.ts';

let served: ServedView;
let bin: string;
beforeEach(async () => {
  served = new ServedView();
  isUnanswered = false;
  bin = join(served.home, 'bin');
  mkdirSync(bin);
  // `enable` writes the state that `show` tells.
  writeFileSync(
    join(bin, 'systemctl'),
    `#!/bin/sh
echo "$@" >>'${served.home}/calls'
for last; do :; done
case $2 in
  enable) case $last in *broken*) echo 'no such file' >&2; exit 1 ;; *static*) ;; *) : >"${served.home}/enabled-$last" ;; esac ;;
  show) if [ -e "${served.home}/enabled-$3" ]; then echo UnitFileState=enabled; else echo UnitFileState=disabled; fi ;;
esac
`,
    { mode: 0o755 },
  );
  served.calls.diagnose = (call, reply) => {
    const answer = findings(call.request.host);
    if (answer === null) reply({ code: status.UNAVAILABLE, details: 'its host-agent is not connected' });
    else reply(null, { findings: answer, unanswered: isUnanswered });
  };
});
afterEach(() => served.dispose());

/** The controller tells of a host that does not answer. */
let isUnanswered: boolean;
/** null: nobody can be asked about that host. */
let findings: (host: string) => Finding[] | null;
const isEnabled = (unit: string): boolean => existsSync(join(served.home, `enabled-${unit}`));
const calls = (): string =>
  existsSync(join(served.home, 'calls')) ? readFileSync(join(served.home, 'calls'), 'utf8') : '';

const fleet = (...args: string[]): Promise<Ran> =>
  runFleetProgram(['--instance', served.instance, ...args], {
    HOME: served.home,
    PATH: `${bin}:${process.env.PATH}`,
  });

const CODER = 'mosaic-agent@coder.service';
const WELL: Finding = { check: 'tmux', outcome: 'ok', what: 'tmux 3.3a' };
const bootEnable = (...targets: string[]): Finding => ({
  check: 'BOOT-ENABLE',
  outcome: 'warning',
  what: 'coder',
  why: 'gone after a reboot',
  mend: 'systemctl --user enable it',
  fix: { kind: 'enable-unit', targets },
});
/** As a host that sees at once what was enabled. */
const unlessEnabled = (...units: string[]): Finding[] => {
  const left = units.filter((unit) => !isEnabled(unit));
  return left.length === 0 ? [WELL] : [WELL, bootEnable(...left)];
};

describe('--fix', () => {
  test('shows each change, makes it with --yes, tells what became of it, and looks again', async () => {
    await served.start();
    findings = () => unlessEnabled('mosaic-tmux-holder.service', CODER);
    const { code, stdout, stderr } = await fleet('doctor', '--fix', '--yes');
    expect(stderr).toBe(
      'BOOT-ENABLE: systemctl --user enable mosaic-tmux-holder.service\n' +
        `BOOT-ENABLE: systemctl --user enable ${CODER}\n` +
        'ok    systemctl --user enable mosaic-tmux-holder.service\n' +
        `ok    systemctl --user enable ${CODER}\n`,
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'ok    tmux  tmux 3.3a\n' });
    expect(calls()).not.toMatch(/--user (start|stop|restart)/);
  });

  test('where nobody can be asked it changes nothing without --yes, and says what it would ask', async () => {
    await served.start();
    findings = () => unlessEnabled(CODER);
    const { code, stderr } = await fleet('doctor', '--fix');
    expect(code).toBe(2);
    expect(stderr).toContain('make this change? Not on a terminal: add --yes');
    expect(calls()).toBe('');
  });

  test('a dry run changes nothing', async () => {
    await served.start();
    findings = () => unlessEnabled(CODER);
    const { code, stdout, stderr } = await fleet('doctor', '--fix', '--dry-run', '-o', 'json');
    expect(code).toBe(0);
    expect(stderr).toContain('dry run: nothing was changed');
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'fleet.fixes/v1',
      fixes: [{ check: 'BOOT-ENABLE', fix: 'enable-unit', target: CODER, outcome: 'would' }],
      findings: [{}, { check: 'BOOT-ENABLE' }],
    });
    expect(calls()).toBe('');
  });

  test('one that fails ends no other, and is told with its reason; exit 1', async () => {
    await served.start();
    const [broken, fixed] = ['mosaic-agent@broken.service', 'mosaic-agent@static.service'];
    findings = () => unlessEnabled(broken, fixed, CODER);
    const { code, stdout } = await fleet('doctor', '--fix', '--yes', '-o', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout).fixes).toMatchObject([
      { target: broken, outcome: 'failed', reason: expect.stringContaining('no such file') },
      { target: fixed, outcome: 'failed', reason: 'it is disabled now: its file says nothing of a boot' },
      { target: CODER, outcome: 'done', reason: null },
    ]);
    expect(isEnabled(CODER)).toBe(true);
  });

  test('a mend of an unknown kind, or beyond our own, is shown for a hand and never made', async () => {
    await served.start();
    const other = join(served.home, 'other');
    mkdirSync(other, { mode: 0o755 });
    findings = () => [
      { check: 'new', outcome: 'failed', what: 'w', mend: 'by hand', fix: { kind: 'reinstall', targets: ['x'] } },
      { check: 'folders', outcome: 'failed', what: other, mend: 'm', fix: { kind: 'close-path', targets: [other] } },
      bootEnable('--now'),
    ];
    const { code, stdout, stderr } = await fleet('doctor', '--fix', '--yes', '-o', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ fixes: [], by_hand: [{ check: 'new' }, {}, {}] });
    expect(stderr).toMatch(/^nothing here that a program could mend\nby hand: new: w; by hand\n/);
    expect(statSync(other).mode & 0o777).toBe(0o755);
    expect(calls()).toBe('');
  });

  test('a folder of ours that is open is closed', async () => {
    await served.start();
    const { run } = served.paths;
    const isOpen = () => (statSync(run).mode & 0o077) !== 0;
    const open = { check: 'folders', outcome: 'failed', what: run, fix: { kind: 'close-path', targets: [run] } };
    findings = () => (isOpen() ? [open] : [WELL]);
    chmodSync(run, 0o755);
    expect((await fleet('doctor', '--fix', '--yes')).code).toBe(0);
    expect(statSync(run).mode & 0o777).toBe(0o700);
  });

  test('for another host it changes nothing and names the command that does it there', async () => {
    await served.start();
    findings = () => unlessEnabled(CODER);
    const remembered = join(served.paths.state, 'ssh/hosts');
    mkdirSync(remembered, { recursive: true });
    const target = { user: 'jwoltje', machine: 'dragon-lin', port: 2222, identityFile: null };
    const known = { host: 'dragon-lin', user: 'jwoltje', target };
    writeFileSync(join(remembered, 'dragon-lin:jwoltje.json'), JSON.stringify(known));
    const { code, stderr } = await fleet('doctor', '--fix', '--yes', 'dragon-lin');
    expect(code).toBe(8);
    expect(stderr).toMatch(
      /nothing was changed; on dragon-lin: ssh -t -l jwoltje -p 2222 dragon-lin \.local\/bin\/fleet doctor --fix\n$/,
    );
    expect(calls()).toBe('');
    expect((await fleet('doctor', '--fix', '--yes', 'W-jarvis')).code).toBe(0);
  });

  test.each(['doctor --dry-run', 'doctor --end x', 'doctor --all --fix', 'doctor --all W-jarvis'])(
    'fleet %s contradicts itself',
    async (line) => {
      await served.start();
      expect((await fleet(...line.split(' '))).code).toBe(2);
    },
  );
});

describe('--all', () => {
  const dragon = { id: 'dragon-lin/jwoltje', host: 'dragon-lin', user: 'jwoltje' };
  const serveTwo = async (): Promise<void> => {
    await served.start();
    served.put({ here: true });
    served.put(dragon);
  };

  test('asks each host and tells what it found below its name', async () => {
    await serveTwo();
    findings = (host) => (host === '' ? [WELL] : [bootEnable(CODER)]);
    const { code, stdout, stderr } = await fleet('doctor', '--all');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '2 host-agents, 2 asked · 0 failed, 1 warnings\n' });
    expect(stdout).toMatch(
      /^W-jarvis\/jarvis {2}this host\n {2}ok {4}tmux {2}tmux 3\.3a\ndragon-lin\/jwoltje\n {2}warn {2}BOOT-ENABLE {2}coder\n/,
    );
  });

  test('a host that cannot be asked is a finding, and makes the whole incomplete: 3', async () => {
    await serveTwo();
    served.put({ ...dragon, link: { state: 'lost', reason: 'silent', ageMs: 134_000 }, heardAgeMs: 134_000 });
    findings = (host) => (host === '' ? [WELL] : null);
    const { code, stdout } = await fleet('doctor', '--all', '-o', 'json');
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'fleet.host-findings/v1',
      complete: false,
      hosts: [
        { host: 'W-jarvis', user: 'jarvis', here: true, asked: true, findings: [{ check: 'tmux', fix: null }] },
        {
          host: 'dragon-lin',
          asked: false,
          findings: [
            {
              check: 'host-agent',
              outcome: 'failed',
              what: expect.stringMatching(/^cannot be asked: LOST 2m\d\ds \(silent\)$/),
              why: expect.stringContaining('not connected'),
            },
          ],
        },
      ],
    });
  });

  test('what the controller tells of a host that does not answer is shown, and the host is not called asked', async () => {
    await serveTwo();
    findings = (host) => {
      isUnanswered = host !== '';
      return host === '' ? [WELL] : [{ check: 'answer', outcome: 'failed', what: 'the line to it broke' }];
    };
    const { code, stdout } = await fleet('doctor', '--all', '-o', 'json');
    expect(code).toBe(3);
    expect(JSON.parse(stdout).hosts[1]).toMatchObject({ asked: false, findings: [{ check: 'answer' }] });
    const alone = await fleet('doctor', 'dragon-lin');
    expect(alone).toMatchObject({ code: 5, stdout: 'FAIL  answer  the line to it broke\n' });
  });

  test('something that failed on any host is 1', async () => {
    await serveTwo();
    findings = (host) => (host === '' ? [WELL] : [{ check: 'roster', outcome: 'failed', what: 'broken' }]);
    expect((await fleet('doctor', '--all')).code).toBe(1);
  });

  test('without a host-agent here there is nobody to ask: 5', async () => {
    expect((await fleet('doctor', '--all')).code).toBe(5);
  });
});

test('without a host-agent it says where that one’s log really is', async () => {
  const args = ['--instance', 'another', 'doctor', '-o', 'json'];
  const { code, stdout } = await runFleetProgram(args, { HOME: served.home, PATH: `${bin}:${process.env.PATH}` });
  const [finding] = (JSON.parse(stdout) as { findings: Finding[] }).findings;
  expect([code, finding?.check]).toEqual([5, 'host-agent']);
  expect(finding?.mend).toContain(`${served.home}/.local/state/fleet/instances/another/log/host-agent.log`);
});
