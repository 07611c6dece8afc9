/** The machine that a person named, checked before it becomes an argument of ssh. */
import { UsageError } from '../usage-error.ts';

export interface SshTarget {
  /** null: as ssh_config says. */
  user: string | null;
  machine: string;
  port: number | null;
  identityFile: string | null;
}

const USER = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/;
const MACHINE = /^[A-Za-z0-9_](?:[A-Za-z0-9_.:-]{0,253})$/;

/** Throws UsageError: what begins with a dash would be an option of ssh. */
export const parseSshTarget = (text: string, options: { port?: string; identity?: string } = {}): SshTarget => {
  const at = text.lastIndexOf('@');
  const user = at < 0 ? null : text.slice(0, at);
  const machine = text.slice(at + 1);
  if (user !== null && !USER.test(user)) throw new UsageError(`"${user}" is no user name: use USER@MACHINE`);
  if (!MACHINE.test(machine)) throw new UsageError(`"${machine}" is no machine: use USER@MACHINE`);
  const port = options.port === undefined ? null : Number(options.port);
  if (port !== null && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw new UsageError(`--port ${options.port}: use a number from 1 to 65535`);
  }
  return { user, machine, port, identityFile: options.identity ?? null };
};

export const targetText = ({ user, machine }: SshTarget): string => (user === null ? machine : `${user}@${machine}`);

/** Options that hold for every call of ssh; the machine comes after them. */
export const targetArgs = ({ user, port, identityFile }: SshTarget): string[] => [
  ...(user === null ? [] : ['-l', user]),
  ...(port === null ? [] : ['-p', String(port)]),
  ...(identityFile === null ? [] : ['-i', identityFile]),
];
