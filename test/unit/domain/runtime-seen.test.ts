import { describe, expect, test } from 'vitest';
import { holdsKnownRuntime, isAgentRuntime, runtimeSeen } from '../../../src/domain/runtime-seen.ts';
import { isKnownRuntime, RUNTIMES } from '../../../src/domain/runtime-table.ts';
import { type Planted, seenTree } from './seen-tree.ts';

const NPM = '/usr/lib/node_modules';
const STUB = 'python3 /home/jarvis/.config/mosaic/fleet/dogfood-agent.py';

const runtimeOf = (root: Planted) => runtimeSeen(seenTree(root)).runtime;

describe('one process', () => {
  test.each<[string, string, Partial<Planted>?]>([
    [`node ${NPM}/@mariozechner/pi-coding-agent/dist/cli.js`, 'pi'],
    ['node /home/j/.npm-global/bin/pi --model openai-codex/gpt-5.5:high', 'pi'],
    ['bun /srv/node_modules/@other/pi-coding-agent/dist/cli.js', 'pi'],
    ['/home/j/bin/pi', 'pi'],
    ['pi', 'pi', { exe: '/usr/bin/node' }],
    [`node ${NPM}/@openai/codex/bin/codex.js`, 'codex'],
    ['node --no-warnings -r /x/hook.js /usr/bin/codex resume', 'codex'],
    [`${NPM}/@openai/codex/vendor/x86_64-unknown-linux-musl/codex/codex exec`, 'codex'],
    ['/opt/codex-x86_64-unknown-linux-musl', 'codex'],
    ['bun x @openai/codex@latest', 'codex'],
    ['bunx @openai/codex', 'codex', { exe: '/usr/bin/bun' }],
    ['deno run -A npm:@openai/codex@1.2.3 --help', 'codex', { exe: '/usr/bin/deno' }],
    [`node --max-old-space-size=4096 ${NPM}/@anthropic-ai/claude-code/cli.js -c`, 'claude'],
    ['claude', 'claude', { exe: '/usr/bin/node' }],
    ['claude --resume', 'claude', { exe: '/home/j/.local/share/claude/versions/2.1.9' }],
    ['/home/j/.local/share/claude/versions/2.1.9', 'claude', { comm: '2.1.9' }],
    [`node ${NPM}/opencode-ai/bin/opencode`, 'opencode'],
    [`${NPM}/opencode-linux-x64/bin/opencode`, 'opencode'],
    [`${NPM}/opencode-ai/bin/.opencode`, 'opencode'],
    [STUB, 'stub'],
    [STUB.replace('python3 ', 'python3 -u -X dev '), 'stub'],
    [`node ${NPM}/@mosaicstack/mosaic/node_modules/@anthropic-ai/claude-code/main.js`, 'claude'],
    ['/usr/local/bin/node (deleted)', 'pi', { argv: ['pi'] }],
    ['claude', 'claude', { exe: null }],
  ])('%s is %s', (run, runtime, over = {}) => {
    const seen = runtimeSeen(seenTree({ run, ...(run.endsWith('(deleted)') ? { exe: run } : {}), ...over }));
    expect(seen).toEqual({ runtime, pid: 100, unknownBecause: null });
    expect(isAgentRuntime(seen)).toBe(true);
  });

  test.each<[string, string, Partial<Planted>?]>([
    ['node server.js', 'node'],
    ['node', 'node'],
    ['node -e claude', 'node'],
    ['node --import tsx /srv/claude-proxy.js', 'node'],
    ['nodejs /srv/app', 'node', { exe: '/usr/bin/nodejs' }],
    ['my-server', 'node', { exe: '/usr/bin/node' }],
    [`node ${NPM}/@openai/agents/dist/index.js`, 'node'],
    [`node ${NPM}/@openai/codex/node_modules/some-server/index.js`, 'node'],
    ['bun run /srv/app.ts', 'bun'],
    ['python3 -c codex', 'python'],
    ['python3 -m http.server', 'python'],
    ['python3', 'python'],
    ['python3 /home/j/bin/pi', 'python'],
    ['python3 /srv/not-dogfood-agent.py', 'python'],
    ['-bash', 'bash'],
    ['/bin/zsh -l', 'zsh'],
    ['/usr/bin/fish', 'fish'],
    ['sh', 'sh', { exe: '/bin/busybox' }],
    ['/bin/dash /srv/loop.sh', 'dash'],
    ['vim notes', 'vim', { exe: '/usr/bin/vim' }],
    ['htop', 'htop', { exe: null }],
    ['cat /usr/bin/claude', 'cat', { exe: '/bin/cat' }],
  ])('%s is seen as %s, no agent runtime', (run, runtime, over = {}) => {
    const seen = runtimeSeen(seenTree({ run, ...over }));
    expect(seen).toEqual({ runtime, pid: 100, unknownBecause: null });
    expect(isAgentRuntime(seen)).toBe(false);
  });

  test.each<[string, string, Partial<Planted>?]>([
    ['ssh dragon-lin', 'ssh hides what runs', { exe: '/usr/bin/ssh' }],
    ['tmux attach', 'tmux hides what runs', { exe: '/usr/bin/tmux' }],
    ['docker exec -it box claude', 'docker hides what runs', { exe: '/usr/bin/docker' }],
    ['node /home/j/.npm-global/bin/mosaic yolo pi', 'mosaic shows no runtime below it'],
    ['npm exec @openai/codex', 'npm shows no runtime below it', { exe: '/usr/bin/node' }],
    [`node ${NPM}/npm/bin/npx-cli.js opencode-ai`, 'npx shows no runtime below it'],
    ['/bin/bash /home/j/.local/bin/mosaic yolo pi', 'mosaic shows no runtime below it'],
    ['/bin/bash /home/j/bin/pi', 'a shell script pi hides what runs'],
    ['/bin/sh /srv/claude.sh', 'a shell script claude hides what runs'],
    ['sudo -i', 'sudo shows nothing below it', { exe: '/usr/bin/sudo' }],
  ])('%s cannot be told: %s', (run, unknownBecause, over = {}) => {
    expect(runtimeSeen(seenTree({ run, ...over }))).toEqual({ runtime: null, pid: 100, unknownBecause });
  });
});

describe('through what is in front of it', () => {
  const claude: Planted = { run: `node ${NPM}/@anthropic-ai/claude-code/cli.js` };
  test.each<[string, Planted, string]>([
    ['a shell that runs it', { run: '/bin/sh -c claude', below: [claude] }, 'claude'],
    ['an interactive shell', { run: '-bash', below: [{ ...claude, group: 'front' }] }, 'claude'],
    [
      'mosaic, npx, env and a login shell',
      {
        run: '-bash',
        below: [
          {
            run: 'node /usr/bin/mosaic yolo claude',
            group: 'front',
            below: [
              { run: 'npm exec x', exe: '/usr/bin/node', below: [{ run: '/usr/bin/env -S x', below: [claude] }] },
            ],
          },
        ],
      },
      'claude',
    ],
    ['codex below its own node script', { run: 'node /usr/bin/codex', below: [{ run: '/opt/codex' }] }, 'codex'],
    ['bun', { run: 'bun run /srv/start.ts', below: [claude] }, 'claude'],
    ['python', { run: 'python3 /srv/start.py', below: [claude] }, 'claude'],
    ['sudo', { run: '/usr/bin/sudo -u x claude', below: [claude] }, 'claude'],
    ['a script named pi that is really the stub', { run: '/bin/bash /home/j/bin/pi', below: [{ run: STUB }] }, 'stub'],
    ['mosaic yolo pi that is really the stub', { run: 'node /usr/bin/mosaic yolo pi', below: [{ run: STUB }] }, 'stub'],
    [
      'an unknown program below mosaic',
      { run: 'node /usr/bin/mosaic x', below: [{ run: 'node /srv/app.js' }] },
      'node',
    ],
    ['an editor below a shell', { run: '-bash', below: [{ run: '/usr/bin/vim', group: 'front' }] }, 'vim'],
    ['an editor below sudo', { run: '/usr/bin/sudo vim', below: [{ run: '/usr/bin/vim' }] }, 'vim'],
    ['a script whose commands come and go', { run: '/bin/bash /x/loop', below: [{ run: '/bin/sleep 1' }] }, 'bash'],
    ['a bare server with a shell below it', { run: 'node server.js', below: [{ run: '/bin/sh -c x' }] }, 'node'],
  ])('%s', (_, root, runtime) => {
    expect(runtimeOf(root)).toBe(runtime);
  });

  test('the tools that an agent runs are not the agent', () => {
    const tools: Planted[] = [
      { run: '/bin/bash -c x', below: [{ run: 'python3 x.py' }, { run: 'node /usr/bin/codex exec' }] },
    ];
    expect(runtimeOf({ ...claude, below: tools })).toBe('claude');
  });

  test('a runtime in the background or stopped is not what a person would type to', () => {
    expect(runtimeOf({ run: '-bash', below: [{ ...claude, group: 'back', state: 'T' }] })).toBe('bash');
    const both: Planted[] = [
      { ...claude, group: 'back' },
      { run: '/usr/bin/vim', group: 'front' },
    ];
    expect(runtimeOf({ run: '-bash', below: both })).toBe('vim');
    const editorOfAgent: Planted = { ...claude, group: 'back', below: [{ run: '/usr/bin/vim', group: 'front' }] };
    expect(runtimeOf({ run: '-bash', below: [editorOfAgent] })).toBe('vim');
  });

  test('what an unknown program below a launcher is stays unknown', () => {
    const tree = seenTree({ run: 'node /usr/bin/mosaic yolo pi', below: [{ run: '/bin/sleep 9' }] });
    expect(runtimeSeen(tree)).toMatchObject({ runtime: null, unknownBecause: 'mosaic shows no runtime below it' });
  });

  test('a launch that has not become its runtime yet is no shell in its place', () => {
    const tree = seenTree({ run: 'sh /home/j/.local/state/fleet/launch/coder/launch.sh' });
    expect(runtimeSeen(tree)).toMatchObject({ runtime: null, unknownBecause: 'launch.sh shows no runtime below it' });
    expect(runtimeOf({ run: 'sh /home/j/launch.sh' })).toBe('sh');
  });

  test('a zombie is nobody, and a pane whose process is one has none', () => {
    const zombie = { ...claude, state: 'Z', argv: [], exe: null, comm: 'node' };
    expect(runtimeOf({ run: '/bin/bash -c x', below: [zombie] })).toBe('bash');
    expect(runtimeSeen(seenTree(zombie))).toEqual({ runtime: null, pid: null, unknownBecause: 'no process' });
    expect(runtimeSeen({ processes: [] })).toMatchObject({ unknownBecause: 'no process' });
  });

  test('a foreground group outside the tree is unknown, no terminal at all is not', () => {
    const { processes } = seenTree(claude);
    const elsewhere = { processes: processes.map((process) => ({ ...process, tpgid: 999 })) };
    expect(runtimeSeen(elsewhere).unknownBecause).toBe('the foreground process is not below the pane');
    const noTerminal = { processes: processes.map((process) => ({ ...process, tpgid: -1 })) };
    expect(runtimeSeen(noTerminal).runtime).toBe('claude');
  });

  test('parents that name each other do not hang the walk', () => {
    const { processes } = seenTree({ run: '-bash', below: [{ run: '/bin/sh -c x' }] });
    const [first, second] = processes;
    const cycle = { processes: [{ ...first!, ppid: 101 }, second!, { ...second!, pid: 102, ppid: 102 }] };
    expect(runtimeSeen(cycle).runtime).toBe('sh');
  });
});

test('a tree holds a runtime also in the background', () => {
  expect(holdsKnownRuntime(seenTree({ run: '-bash', below: [{ run: STUB, group: 'back' }] }))).toBe(true);
  expect(holdsKnownRuntime(seenTree({ run: '-bash', below: [{ run: 'node x.js' }] }))).toBe(false);
});

test('names in the table are unique, and only those are known', () => {
  const names = RUNTIMES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.every(isKnownRuntime)).toBe(true);
  expect(isKnownRuntime('node')).toBe(false);
});
