/** Comes in: what the preflight script printed. Goes out: facts of known shape, and why fleet cannot go there. */
import * as z from 'zod';
import { FleetError } from '../../domain/errors.ts';
import { LEAST_TMUX, versionAtLeast } from '../../domain/version-at-least.ts';

const yesNo = z.enum(['yes', 'no']).transform((word) => word === 'yes');
const words = z.string().transform((text) => text.split(' ').filter((word) => word !== ''));
const wholeNumber = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);

const Printed = z.strictObject({
  uid: wholeNumber,
  user: z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?$/),
  home: z.string().startsWith('/'),
  hostname: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  machine_id: z.union([z.literal(''), z.string().regex(/^[0-9a-f]{32}$/)]),
  kernel: z.string(),
  machine: z.string(),
  libc: z.string(),
  tmux: z.string(),
  tool_tar: yesNo,
  tool_gzip: yesNo,
  tool_sha256sum: yesNo,
  tool_mktemp: yesNo,
  disk_kib: z.union([wholeNumber, z.literal('').transform(() => null)]),
  clock_seconds: wholeNumber,
  ssh_connection: z.string(),
  systemd: yesNo,
  user_manager: yesNo,
  linger: yesNo,
  runtime_dir: z.string(),
  system_node: z.string().default(''),
  versions: words,
  runtimes: words,
  current: z.string(),
  controller: yesNo,
  identity: z.string().max(65_536),
  policy: z.string().max(65_536),
  unit_sha256: z.union([z.literal(''), z.string().regex(/^[0-9a-f]{64}$/)]),
  unit_active: z.string(),
  upgrading: yesNo,
  end: z.literal('yes'),
});

export type MachineFacts = z.output<typeof Printed>;

const LINE = /^([a-z_0-9]+)=(.*)$/;

/** Throws DATA_LOSS when the answer is cut off or holds anything that the script does not print. */
export const parseFacts = (text: string): MachineFacts => {
  const printed: Record<string, string> = {};
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const match = LINE.exec(line);
    if (!match) throw unreadable(`line "${line.slice(0, 80)}"`);
    const [, key, value] = match as unknown as [string, string, string];
    if (key in printed) throw unreadable(`${key} twice`);
    printed[key] = value.trim();
  }
  const parsed = Printed.safeParse(printed);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw unreadable(issue ? `${issue.path.join('.') || 'answer'}: ${issue.message}` : 'unknown reason');
};

const unreadable = (what: string): FleetError =>
  new FleetError('DATA_LOSS', `the machine answered the preflight with what cannot be read (${what})`);

const ARCHITECTURES: Record<string, 'x64' | 'arm64'> = {
  x86_64: 'x64',
  amd64: 'x64',
  aarch64: 'arm64',
  arm64: 'arm64',
};
const LEAST_GLIBC = [2, 28] as const;
/** Two versions and their Node.js, with room to spare. */
const LEAST_FREE_KIB = 400 * 1024;
const NODE_MAJOR = 24;

export const architectureOf = (facts: MachineFacts): 'x64' | 'arm64' | null => ARCHITECTURES[facts.machine] ?? null;

/** Path of a Node.js of the machine's own that will do, or null. */
export const systemNode = (facts: MachineFacts): string | null => {
  const match = /^(\/\S+) v(\d+)\.\d+\.\d+$/.exec(facts.system_node);
  return match && Number(match[2]) === NODE_MAJOR ? (match[1] as string) : null;
};

/** Everything that stands in the way, each with what to do; empty when nothing does. */
export const obstacles = (facts: MachineFacts): string[] => {
  const found: string[] = [];
  if (facts.uid === 0) found.push('this is root: name the user whose agents are to be shown, USER@MACHINE');
  if (facts.kernel !== 'Linux') found.push(`it runs ${facts.kernel}: only Linux is supported`);
  if (architectureOf(facts) === null) found.push(`its processor is ${facts.machine}: x86_64 and aarch64 are supported`);
  if (!facts.tmux) found.push('it has no tmux: install tmux 3.2 or newer there');
  else if (versionAtLeast(facts.tmux, LEAST_TMUX) !== true)
    found.push(`it has ${facts.tmux}: tmux 3.2 or newer is needed`);
  const missing = (['tar', 'gzip', 'sha256sum', 'mktemp'] as const).filter((tool) => !facts[`tool_${tool}`]);
  if (missing.length > 0) found.push(`it has no ${missing.join(', ')}: install what is missing`);
  if (systemNode(facts) === null && versionAtLeast(facts.libc, LEAST_GLIBC) !== true) {
    found.push(
      `its C library is ${facts.libc || 'not glibc'}: glibc 2.28 or newer is needed, or Node.js 24 in /usr/bin`,
    );
  }
  if (facts.disk_kib !== null && facts.disk_kib < LEAST_FREE_KIB) {
    found.push(`its home has ${Math.floor(facts.disk_kib / 1024)} MiB free: ${LEAST_FREE_KIB / 1024} are needed`);
  }
  return found;
};
