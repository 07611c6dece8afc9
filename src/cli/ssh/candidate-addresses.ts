/** Where the controller of this machine might be reached from another one, best guess first. Pure. */
import type { NetworkInterfaceInfo } from 'node:os';

export interface AddressFacts {
  /** What the controller says already. */
  advertised: readonly string[];
  /** `$SSH_CONNECTION` on the other machine: client address and port, server address and port. */
  sshConnection: string;
  /** `os.networkInterfaces()` of this machine. */
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>;
  port: number;
}

const withPort = (host: string, port: number): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/** `host:port`, each once: as that machine sees us, as advertised, our other addresses. */
export const candidateAddresses = ({ advertised, sshConnection, interfaces, port }: AddressFacts): string[] => {
  const [client] = sshConnection.split(' ');
  const own = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .map(({ address }) => withPort(address, port));
  // Mapped IPv4 is what a dual-stack sshd reports.
  const seenAs = client ? [withPort(client.replace(/^::ffff:/, ''), port)] : [];
  return [...new Set([...seenAs, ...advertised, ...own])].slice(0, 32);
};

/** The port that the controller listens on; throws nothing: 0 when it listens nowhere. */
export const portOf = (address: string | undefined): number =>
  Number(address?.slice(address.lastIndexOf(':') + 1) ?? 0) || 0;

/** Where a tunnel that ends on the controller's machine dials: its loopback side. */
export const loopbackAddress = (listening: readonly string[]): string | null => {
  const local = listening.find((address) => /^(?:127\.|localhost:|\[::1\])/.test(address));
  if (local) return local;
  const any = listening.find((address) => /^(?:0\.0\.0\.0|\[::\]):/.test(address));
  return any ? `127.0.0.1:${portOf(any)}` : null;
};

export const isBeyondLoopback = (listening: readonly string[]): boolean =>
  listening.some((address) => !/^(?:127\.|localhost:|\[::1\])/.test(address));
