/**
 * Where the controller listens and what it tells hosts to dial. Loopback first; what an administrator opens beside
 * it is stored and opened again at the next start.
 */
import { networkInterfaces } from 'node:os';
import { FleetError } from '../../src/domain/errors.ts';
import { isDialAddress } from '../../src/identity/token.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Records, Settings } from '../store/records.ts';

const RECORD = 'controller';
/** Every IPv6 address and, on Linux, every IPv4 address too. */
const ALL = '::';
const ALL_IPV4 = '0.0.0.0';

export interface Listening {
  listen(host: string, port: number): Promise<string>;
  readonly listening: string[];
}

const splitAddress = (address: string): { host: string; port: number } => {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
};

const joinAddress = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

const isLoopback = (address: string): boolean => /^(127\.|\[::1\])/.test(address);

/** Of this machine's interfaces; link-local ones mean nothing elsewhere. */
const machineAddresses = (withIpv6: boolean): string[] =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(
      ({ internal, family, address }) => !internal && (family === 'IPv4' || (withIpv6 && !/^fe[89ab]/i.test(address))),
    )
    .map(({ address }) => address);

const requireAddress = (address: string): void => {
  if (isDialAddress(address)) return;
  throw new FleetError(
    'INVALID_ARGUMENT',
    `address ${JSON.stringify(address)}: give HOST:PORT, such as 192.0.2.7:7443`,
  );
};

const isTaken = (error: unknown): boolean => error instanceof FleetError && error.code === 'ALREADY_EXISTS';

/** Before the first start it may be another; afterwards hosts dial it. */
const takenPort = (storedPort: number | null, port: number): FleetError =>
  new FleetError(
    'ALREADY_EXISTS',
    storedPort === null
      ? `port ${port} of 127.0.0.1 is taken by another program: fleet up --port PORT takes another`
      : `port ${storedPort} of 127.0.0.1 is taken by another program, and hosts dial it: end that one (ss -ltnp shows it)`,
  );

export class Addresses {
  readonly #server: Listening;
  readonly #records: Records;
  readonly #log: Logger;

  constructor(server: Listening, records: Records, log: Logger) {
    this.#server = server;
    this.#records = records;
    this.#log = log;
  }

  /**
   * Opens loopback, on the port of the last start (`port` when this is the first, 0 for any free one), and what was
   * opened beside it before. An address that is gone from this machine is logged, not fatal.
   */
  async start(port: number): Promise<void> {
    const { port: storedPort, listen } = this.#settings();
    const bound = await this.#server.listen('127.0.0.1', storedPort ?? port).catch((error: unknown) => {
      throw isTaken(error) ? takenPort(storedPort, port) : error;
    });
    if (storedPort === null) await this.#store({ port: splitAddress(bound).port });
    for (const address of listen) {
      try {
        await this.#listen(address);
      } catch (error) {
        this.#log.error({ address, err: error }, 'address cannot be opened again');
      }
    }
  }

  listening(): string[] {
    return this.#server.listening;
  }

  advertised(): string[] {
    return this.#settings().advertise;
  }

  /** What a host may try, in this order: the advertised, the machine's own where all are open, loopback. */
  dialable(): string[] {
    const open = this.listening().flatMap((address) => {
      const { host, port } = splitAddress(address);
      if (host !== ALL && host !== ALL_IPV4) return [address];
      return [...machineAddresses(host === ALL), '127.0.0.1'].map((one) => joinAddress(one, port));
    });
    const ordered = [...open.filter((one) => !isLoopback(one)), ...open.filter(isLoopback)];
    return [...new Set([...this.advertised(), ...ordered])];
  }

  /** What another cell's controller may try: loopback is its own there, unless there is nothing else. */
  forPeers(): string[] {
    const advertised = this.advertised();
    if (advertised.length > 0) return advertised;
    const open = this.dialable();
    const elsewhere = open.filter((one) => !isLoopback(one));
    return elsewhere.length > 0 ? elsewhere : open;
  }

  /** Opens `address` (empty: all interfaces, on the present port) and stores it; false when it was open already. */
  async open(address: string, advertise: readonly string[]): Promise<boolean> {
    const { port, listen, advertise: known } = this.#settings();
    const wanted = address === '' ? `[${ALL}]:${port}` : address;
    for (const one of [wanted, ...advertise]) requireAddress(one);
    const open = this.#isOpen(wanted);
    if (!open) this.#log.warn({ address: await this.#listen(wanted) }, 'address opened');
    await this.#store({
      listen: [...new Set([...listen, ...(open ? [] : [wanted])])],
      advertise: [...new Set([...known, ...advertise])],
    });
    return !open;
  }

  /** Open itself, or by a listener on all interfaces. */
  #isOpen(address: string): boolean {
    const { port } = splitAddress(address);
    const covering = [address, `[${ALL}]:${port}`, `${ALL_IPV4}:${port}`];
    return this.listening().some((one) => covering.includes(one));
  }

  async #listen(address: string): Promise<string> {
    const { host, port } = splitAddress(address);
    try {
      return await this.#server.listen(host, port);
    } catch (error) {
      // A machine without IPv6.
      if (host !== ALL || isTaken(error)) throw error;
      return this.#server.listen(ALL_IPV4, port);
    }
  }

  #settings(): Settings {
    return this.#records.settings.get(RECORD) ?? { listen: [], advertise: [], port: null };
  }

  async #store(change: Partial<Settings>): Promise<void> {
    const value = { ...this.#settings(), ...change };
    await this.#records.store.commit({ put: [this.#records.settings.writing(RECORD, value)] });
  }
}
