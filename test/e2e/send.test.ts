/** Something said from one machine to an agent on the other: what is reported is what the agent itself wrote down. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fleetGround } from '../helpers/fleet-ground.ts';
import { untilWhole } from '../helpers/fleet-pair.ts';
import type { Seat } from '../helpers/fleet-seen.ts';
import { HostLookalike } from '../helpers/host-lookalike.ts';
import { until } from '../helpers/until.ts';

const ground = fleetGround();
/** Agents on dragon-lin, and one on W-jarvis. */
let helper: HostLookalike;
let asker: HostLookalike;
let partner: HostLookalike;

const fleet = ({ host, user }: Seat, ...words: string[]) => host.fleet(user, words, { timeoutMs: 90_000 });
const json = async (seat: Seat, ...words: string[]) => {
  const { exitCode, stdout, stderr } = await fleet(seat, ...words, '-o', 'json');
  return { exitCode, stderr, told: stdout === '' ? null : JSON.parse(stdout) };
};
const promptOf = async (seat: Seat, agent: string) =>
  until(async () => (await json(seat, 'explain', agent)).told?.prompt ?? null, { timeoutMs: 30_000 });

beforeAll(async () => {
  helper = await HostLookalike.start(ground.dragon, 'helper', 'claude');
  asker = await HostLookalike.start(ground.dragon, 'asker', 'codex', { start: 'approval' });
  partner = await HostLookalike.start(ground.jarvis, 'partner', 'pi');
  await until(
    async () => {
      const { stdout } = await fleet(ground.jarvis, 'ps', '-o', 'name');
      return ['dragon-lin/jwoltje/helper', 'dragon-lin/jwoltje/asker'].every((name) => stdout.includes(name));
    },
    { timeoutMs: 40_000 },
  );
});

const HARD = `say "it's" $(id); é 漢字 😀;`;

describe('fleet send to another machine', () => {
  test('is accepted, and the agent has exactly that text, once, with who it is from', async () => {
    const { jarvis } = ground;
    const sent = await json(jarvis, 'send', 'dragon-lin/helper', HARD, '--id', 'first');
    expect(sent).toMatchObject({ exitCode: 0, told: { id: 'first', verb: 'send', outcome: 'accepted' } });
    expect(await helper.messages()).toEqual([`[W-jarvis:operator -> dragon-lin:helper] ${HARD}`]);
    const again = await json(jarvis, 'send', 'dragon-lin/helper', HARD, '--id', 'first');
    expect(again).toMatchObject({ exitCode: 0, told: { outcome: 'accepted', repeated: true } });
    expect(await helper.messages()).toHaveLength(1);
    for (const seat of [jarvis, ground.dragon]) {
      expect(await json(seat, 'order', 'first')).toMatchObject({ exitCode: 0, told: { outcome: 'accepted' } });
    }
  });

  test('the other way round is refused with its mend, and allowed by it', async () => {
    const { dragon, jarvis } = ground;
    const refused = await fleet(dragon, 'send', 'W-jarvis/partner', 'not yet');
    expect(refused.exitCode).toBe(6);
    expect(refused.stderr).toContain('fleet host allow dragon-lin send');
    const allowed = await fleet(jarvis, 'host', 'allow', 'dragon-lin', 'send');
    expect(allowed.exitCode).toBe(0);
    const sent = await json(dragon, 'send', 'W-jarvis/partner', 'two\nlines');
    expect(sent).toMatchObject({ exitCode: 0, told: { outcome: 'accepted' } });
    expect(await partner.messages()).toEqual(['[dragon-lin:operator -> W-jarvis:partner] two\nlines']);
  });

  test('to a shell in the place of the agent is refused, and no shell runs it', async () => {
    const { jarvis, dragon } = ground;
    const pid = (await helper.row())?.tmux?.pid;
    await helper.pane.tmux('respawn-pane', '-k', 'bash --norc --noprofile');
    await until(async () => ![pid, undefined].includes((await helper.row())?.tmux?.pid ?? undefined), {
      timeoutMs: 40_000,
    });
    const sent = await until(
      async () => {
        const { exitCode, told, stderr } = await json(jarvis, 'send', 'dragon-lin/helper', 'touch ~/ran; id > ~/ran');
        // Until the new pane is known over there, too.
        if (told?.outcome === 'gone' || told === null) throw new Error(stderr);
        return { exitCode, told };
      },
      { timeoutMs: 40_000 },
    );
    expect(sent).toMatchObject({ exitCode: 8, told: { outcome: 'not-a-runtime' } });
    const { rows } = await helper.pane.look();
    expect(rows.join('\n')).not.toContain('ran');
    expect((await dragon.host.ssh(dragon.user, 'ls ~/ran')).exitCode).not.toBe(0);
    await helper.pane.tmux('respawn-pane', '-k', 'exec ~/bin/claude ~/lookalike.py claude --log ~/helper.log');
    await until(async () => (await helper.row())?.runtime_seen === 'claude', { timeoutMs: 40_000 });
  });
});

describe('an agent that asks', () => {
  test('is stuck and needs a person on either machine, and its prompt can be seen and answered from the other', async () => {
    const { jarvis, dragon } = ground;
    for (const seat of [jarvis, dragon]) {
      const rows = await until(
        async () => {
          const { told } = await json(seat, 'ps', '--needs-me');
          return told.agents.length > 0 && told.agents;
        },
        { timeoutMs: 40_000 },
      );
      expect(rows).toEqual([
        expect.objectContaining({
          address: 'home/dragon-lin/jwoltje/asker',
          readiness: 'stuck',
          reason_code: 'approval',
          attention: expect.objectContaining({ need: 'approval' }),
        }),
      ]);
    }
    const refused = await json(jarvis, 'send', 'dragon-lin/asker', 'are you there');
    expect(refused).toMatchObject({ exitCode: 8, told: { outcome: 'blocked' } });
    const next = await fleet(jarvis, 'next');
    expect(next.stdout).toContain('dragon-lin/jwoltje/asker');
    expect(next.stdout).toContain('touch asked.txt');
    const prompt = await promptOf(jarvis, 'dragon-lin/asker');
    expect(next.stdout).toContain(prompt.id);
    const answered = await json(jarvis, 'answer', 'dragon-lin/asker', '1', '--prompt', prompt.id);
    expect(answered.exitCode).toBe(0);
    expect(await asker.log()).toEqual([{ menu: 'approval', choice: 'Yes, proceed (y)' }]);
    await until(async () => (await json(dragon, 'ps', '--needs-me')).told.agents.length === 0, { timeoutMs: 40_000 });
    const nobody = await fleet(dragon, 'next');
    expect([nobody.exitCode, nobody.stdout, nobody.stderr]).toEqual([0, '', expect.stringContaining('nobody waits')]);
  });

  test('and then asks something else is not answered by what was meant for the first', async () => {
    const { jarvis } = ground;
    expect((await json(jarvis, 'send', 'dragon-lin/asker', 'run one', '--no-label')).exitCode).toBe(0);
    const first = await until(
      async () => {
        const prompt = await promptOf(jarvis, 'dragon-lin/asker');
        return prompt.id && prompt;
      },
      { timeoutMs: 40_000 },
    );
    await asker.pane.press('Escape');
    await asker.pane.untilShows('Answered: No');
    await asker.pane.type('run two');
    await asker.pane.untilShows('$ two');
    const before = await asker.log();
    const answered = await json(jarvis, 'answer', 'dragon-lin/asker', '1', '--prompt', first.id);
    expect(answered).toMatchObject({ exitCode: 8, told: { outcome: 'prompt-changed' } });
    await asker.pane.untilShows('$ two');
    expect(await asker.log()).toEqual(before);
  });
});

describe('the word of the host that owns the agent', () => {
  const POLICY = '~/.config/fleet/host-policy.json';
  afterAll(async () => {
    const { dragon } = ground;
    await dragon.host.ssh(dragon.user, `test ! -e ${POLICY}.kept || mv ${POLICY}.kept ${POLICY}`);
  });

  test('is the last one: where it lets nobody type, nobody does, wherever they are', async () => {
    const { jarvis, dragon } = ground;
    const keep = `touch ${POLICY} && mv ${POLICY} ${POLICY}.kept && echo '{"control":"observe"}' > ${POLICY}`;
    await dragon.host.mustSsh(dragon.user, keep);
    const before = await helper.messages();
    for (const seat of [jarvis, dragon]) {
      const sent = await json(seat, 'send', 'dragon-lin/helper', 'may I');
      expect(sent).toMatchObject({ exitCode: 8, told: { outcome: 'refused' } });
      expect(sent.told.reason).toMatch(/policy.*only observe/);
      expect((await json(seat, 'keys', 'dragon-lin/helper', 'Escape')).exitCode).toBe(8);
    }
    expect(await helper.messages()).toEqual(before);
    await helper.pane.look().then(({ rows }) => expect(rows.join('\n')).not.toContain('may I'));
    await dragon.host.mustSsh(dragon.user, `mv ${POLICY}.kept ${POLICY}; test -s ${POLICY} || rm ${POLICY}`);
    expect((await json(jarvis, 'send', 'dragon-lin/helper', 'now I may')).exitCode).toBe(0);
    expect((await helper.messages()).at(-1)).toBe('[W-jarvis:operator -> dragon-lin:helper] now I may');
  });
});

describe('an order that is lost on its way', () => {
  test('is told as what it is, can be asked after later, and was typed once at most', async () => {
    const { pair, jarvis, dragon } = ground;
    const workload = dragon.host.workload();
    await pair.dragon.cutCable();
    const lost = await json(jarvis, 'send', 'dragon-lin/helper', 'lost on the way', '--id', 'lost', '--timeout', '5s');
    // Nothing can be known of what is beyond the cut, and that is what is said.
    expect([1, 5, 7]).toContain(lost.exitCode);
    expect(lost.told === null ? lost.stderr : lost.told.outcome).toMatch(/^(unknown|pending)$|--id lost|not current/);
    await pair.dragon.mendCable();
    await untilWhole(pair);
    const later = await until(
      async () => {
        const asked = await json(jarvis, 'order', 'lost');
        if (['unknown', 'pending'].includes(asked.told?.outcome)) throw new Error(JSON.stringify([lost, asked]));
        return asked;
      },
      { timeoutMs: 30_000 },
    );
    const typed = async () => (await helper.messages()).filter((text) => String(text).includes('lost on the way'));
    expect(await typed()).toHaveLength(later.told?.outcome === 'accepted' ? 1 : 0);
    const repeated = await json(jarvis, 'send', 'dragon-lin/helper', 'lost on the way', '--id', 'lost');
    expect(repeated).toMatchObject({ exitCode: 0, told: { outcome: 'accepted' } });
    expect(await typed()).toHaveLength(1);
    expect(dragon.host.workload()).toEqual(workload);
  });
});
