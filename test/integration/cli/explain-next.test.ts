import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Attention } from '../../../src/domain/agent-row.ts';
import type { ExplainAgentResponse, PromptReading } from '../../../src/wire/gen/fleet/v1/terminal.ts';
import { FLEET_MAIN, runFleetProgram } from '../../helpers/fleet-program.ts';
import { PrivateTmux } from '../../helpers/tmux-server.ts';
import { until } from '../../helpers/until.ts';
import { DRAGON, paneRow, refusal, ServedOrders } from './served-orders.ts';

/** What would act upon a terminal, were it written to one as it is. */
const HARMFUL = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/;
const EVIL = 'rm\x1b]52;c;ZXZpbA==\x07 \u202egnp.exe\x9b2J\nsecond';

const prompt = (over: Partial<PromptReading> = {}): PromptReading => ({
  state: 'blocked',
  reasonCode: 'approval',
  rule: 'claude.approval',
  excerpt: ['Do you want to proceed?', ' > 1. Yes', '   2. No, and say why'],
  promptId: '3f9a',
  choices: [
    { name: '1', label: 'Yes', selected: true },
    { name: '2', label: 'No, and say why', selected: false },
  ],
  composer: undefined,
  ...over,
});
const why = (over: Partial<ExplainAgentResponse> = {}): ExplainAgentResponse => ({
  readiness: 'stuck',
  reason: 'waits for approval',
  reasonCode: 'approval',
  evidence: [
    { source: 'process', fact: 'claude is in the foreground', decisive: false },
    { source: 'screen', fact: 'claude.approval fits', decisive: true },
  ],
  prompt: prompt(),
  rules: 'claude 3, built in',
  ...over,
});
const attention = (sinceAgoMs: number | null, over: Partial<Attention> = {}): { attention: Attention } => ({
  attention: {
    id: 'a',
    need: 'approval',
    sinceMs: sinceAgoMs === null ? null : Date.now() - sinceAgoMs,
    rule: 'r',
    summary: 'wants to run make',
    ...over,
  },
});

let served: ServedOrders;

beforeEach(async () => {
  served = new ServedOrders();
  await served.start();
  served.answers.explainAgent = () => why();
});

afterEach(() => served.dispose());

describe('fleet explain', () => {
  beforeEach(() => served.view.put({ here: true }, paneRow('coder', '%1', 1)));

  test('shows the evidence, what decided, the prompt and the words that answer it', async () => {
    expect(await served.fleet('explain', 'coder')).toEqual({
      code: 0,
      stdout: [
        'home/W-jarvis/jarvis/coder  stuck: waits for approval (approval)',
        '',
        '  SOURCE   FACT (* decided)',
        '  process  claude is in the foreground',
        '* screen   claude.approval fits',
        '',
        'rules    claude 3, built in',
        'screen   blocked (approval), by claude.approval',
        'prompt   3f9a',
        '',
        '  │ Do you want to proceed?',
        '  │  > 1. Yes',
        '  │    2. No, and say why',
        '',
        '  > 1  Yes              fleet answer W-jarvis/jarvis/coder 1 --prompt 3f9a',
        '    2  No, and say why  fleet answer W-jarvis/jarvis/coder 2 --prompt 3f9a',
        '',
      ].join('\n'),
      stderr: '',
    });
    expect(served.calls('explainAgent')[0]?.request).toEqual({ hostAgent: 'W-jarvis/jarvis', key: 'k:coder' });
  });

  test('json has every field, null where unknown', async () => {
    served.answers.explainAgent = () => why({ prompt: undefined, rules: '', reason: '', reasonCode: '' });
    expect(JSON.parse((await served.fleet('explain', 'coder', '-o', 'json')).stdout)).toEqual({
      schema: 'fleet.explain/v1',
      address: 'home/W-jarvis/jarvis/coder',
      current: true,
      readiness: 'stuck',
      reason: null,
      reason_code: null,
      evidence: why().evidence,
      rules: null,
      prompt: null,
    });
  });

  test.each(['table', 'json'])('nothing of a hostile screen reaches the terminal (%s)', async (form) => {
    const choices = [{ name: EVIL, label: EVIL, selected: false }];
    const reading = prompt({
      excerpt: [EVIL],
      choices,
      rule: EVIL,
      promptId: EVIL,
      composer: { y: 0, x: 0, text: EVIL, placeholder: false },
    });
    served.answers.explainAgent = () =>
      why({ reason: EVIL, rules: EVIL, evidence: [{ source: EVIL, fact: EVIL, decisive: true }], prompt: reading });
    const { code, stdout } = await served.fleet('explain', 'coder', '-o', form);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(HARMFUL);
    expect(stdout).not.toContain('fleet answer');
    if (form === 'json')
      expect(JSON.parse(stdout).prompt).toMatchObject({ excerpt: [EVIL], choices: [{ label: EVIL, command: null }] });
    else expect(stdout).toContain('  │ rm␛]52;c;ZXZpbA==␇ �gnp.exe�2J␊second\n');
  });

  test('a command that is offered to be copied runs nothing else, whatever things are called', async () => {
    served.view.put({ here: true }, paneRow("x$(id)';w", '%2', 2));
    served.answers.explainAgent = () =>
      why({ prompt: prompt({ promptId: 'a;b', choices: [{ name: '`id`', label: '', selected: false }] }) });
    const { stdout } = await served.fleet('explain', "x$(id)';w");
    expect(stdout).toContain(`fleet answer 'W-jarvis/jarvis/x$(id)'\\'';w' '\`id\`' --prompt 'a;b'\n`);
  });

  test('what is offered to be copied is for the same fleet', async () => {
    const { instance, home } = served.view;
    const { stdout } = await runFleetProgram(['explain', 'coder', '--instance', instance], { HOME: home });
    expect(stdout).toContain(`  fleet --instance ${instance} answer W-jarvis/jarvis/coder 1 --prompt 3f9a\n`);
  });

  test('a host that cannot be asked is said to be unreachable', async () => {
    served.answers.explainAgent = () => {
      throw refusal(status.UNAVAILABLE, 'dragon-lin is lost');
    };
    expect(await served.fleet('explain', 'coder')).toEqual({
      code: 5,
      stdout: '',
      stderr: 'fleet: dragon-lin is lost\n',
    });
  });
});

describe('fleet next', () => {
  const serveThree = (): void => {
    served.view.put({ here: true }, paneRow('fresh', '%1', 1, attention(60_000)), paneRow('idle', '%2', 2));
    served.view.put(DRAGON, paneRow('coder0-0', '%3', 3, attention(750_000)), paneRow('odd', '%4', 4, attention(null)));
  };

  test('is the one that waits longest, with what it asks and how to deal with it', async () => {
    serveThree();
    const { code, stdout, stderr } = await served.fleet('next');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^home.dragon-lin.jwoltje.coder0-0 {2}needs approval for 12m3\ds: wants to run make$/),
      '',
      '  │ Do you want to proceed?',
      '  │  > 1. Yes',
      '  │    2. No, and say why',
      '',
      '  > 1  Yes              fleet answer dragon-lin/jwoltje/coder0-0 1 --prompt 3f9a',
      '    2  No, and say why  fleet answer dragon-lin/jwoltje/coder0-0 2 --prompt 3f9a',
      '',
      '  watch it   fleet watch dragon-lin/jwoltje/coder0-0',
      '  take over  fleet attach dragon-lin/jwoltje/coder0-0',
      '  why        fleet explain dragon-lin/jwoltje/coder0-0',
      '',
    ]);
    expect(stderr).toBe('2 more wait: fleet ps --needs-me\n');
    expect(served.calls('explainAgent')[0]?.request).toEqual({ hostAgent: 'dragon-lin/jwoltje', key: 'k:coder0-0' });
  });

  test('programs get its row and its prompt, or its address alone', async () => {
    serveThree();
    const document = JSON.parse((await served.fleet('next', '-o', 'json')).stdout);
    expect(document).toMatchObject({
      schema: 'fleet.next/v1',
      complete: true,
      waiting: 3,
      agent: {
        address: 'home/dragon-lin/jwoltje/coder0-0',
        attention: { need: 'approval', since_seconds: expect.any(Number) },
      },
      prompt: {
        id: '3f9a',
        choices: [{ name: '1', command: 'fleet answer dragon-lin/jwoltje/coder0-0 1 --prompt 3f9a' }, {}],
      },
    });
    expect((await served.fleet('next', '-o', 'name')).stdout).toBe('home/dragon-lin/jwoltje/coder0-0\n');
    expect(served.calls('explainAgent')).toHaveLength(1);
  });

  test('rows as last seen wait for nobody', async () => {
    serveThree();
    served.view.put({ ...DRAGON, link: { state: 'lost', reason: 'silent', ageMs: 1_000 } });
    const { stdout, stderr } = await served.fleet('next', '-o', 'name');
    expect(stdout).toBe('home/W-jarvis/jarvis/fresh\n');
    served.view.view.removeRow('W-jarvis/jarvis', 'k:fresh');
    expect(await served.fleet('next')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'nobody waits for you of those that can be asked; fleet hosts shows the others\n',
    });
    expect(stderr).toBe('');
  });

  test('where nobody waits it says so, and json has no agent', async () => {
    served.view.put({ here: true }, paneRow('idle', '%2', 2));
    expect(await served.fleet('next')).toEqual({ code: 0, stdout: '', stderr: 'nobody waits for you\n' });
    expect(JSON.parse((await served.fleet('next', '-o', 'json')).stdout)).toEqual({
      schema: 'fleet.next/v1',
      complete: true,
      waiting: 0,
      agent: null,
      prompt: null,
    });
  });

  test.each([
    ['next', 1],
    ['next --no-watch', 0],
  ])('on a terminal fleet %s goes on to its screen %i times', async (line, times) => {
    serveThree();
    const folder = new PrivateTmux();
    try {
      const { instance, home } = served.view;
      const program = `'${process.execPath}' '${FLEET_MAIN}' --instance ${instance} ${line}`;
      folder.session('t', 't', `${program}; echo "left with $?"; exec sleep 1000`, '-e', `HOME=${home}`);
      const screen = (): string => folder.run('t', 'capture-pane', '-p', '-J', '-t', '=t:');
      await until(() => /left with \d/.test(screen()), { timeoutMs: 60_000 });
      expect(screen()).toContain('home/dragon-lin/jwoltje/coder0-0  needs approval');
      expect(served.calls('watchTerminal').map(({ request }) => request.key)).toEqual(
        Array.from({ length: times }, () => 'k:coder0-0'),
      );
    } finally {
      folder.close();
    }
  });

  test('one that failed and has no session is to be started or read after, not watched', async () => {
    const failed = { ...attention(66_000, { need: 'failed', summary: 'exit 127' }), readiness: 'dead' } as const;
    served.view.put({ here: true }, paneRow('coder', '%1', 1, { ...failed, tmux: null, managed: true }));
    served.answers.explainAgent = () => why({ prompt: undefined });
    const { code, stdout } = await served.fleet('next');
    expect([code, ...stdout.split('\n')]).toEqual([
      0,
      expect.stringMatching(/^home.W-jarvis.jarvis.coder {2}failed 1m0\ds ago: exit 127$/),
      '',
      '  start it   fleet start W-jarvis/jarvis/coder',
      '  its end    fleet tail W-jarvis/jarvis/coder --last-run',
      '  why        fleet explain W-jarvis/jarvis/coder',
      '',
    ]);
  });

  test('an agent whose host cannot say what it asks waits all the same', async () => {
    served.view.put({ here: true }, paneRow('coder', '%1', 1, attention(1_000, { summary: EVIL })));
    served.answers.explainAgent = () => {
      throw refusal(status.UNAVAILABLE, 'tmux does not answer');
    };
    const { code, stdout, stderr } = await served.fleet('next');
    expect(code).toBe(0);
    expect(stdout).toMatch(/needs approval for \d+s: rm␛]52/);
    expect(stdout).not.toMatch(HARMFUL);
    expect(stderr).toBe('what it asks is not known: tmux does not answer\n');
  });
});
