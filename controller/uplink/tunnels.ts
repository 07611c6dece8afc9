/**
 * The tunnels that stand, by host: opened by hosts when they are asked to, gone with their Connect sessions. A host that is
 * not connected is no error of ours to wait out: it is said at once, with how its line stands.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import type { Tunnel } from './tunnel.ts';

/** Connect sessions, as far as calls need them; the uplink has them. */
export interface Sessions {
  isConnected(id: string): boolean;
  /** False when the host has no session. */
  askForTunnel(id: string): boolean;
  /** How its line stands, in a few words. */
  standing(id: string): string;
}

const OPENING_DEADLINE_MS = 5_000;

export class Tunnels {
  readonly #sessions: Sessions;
  readonly #tunnels = new Map<string, Tunnel>();
  readonly #changed = new Listeners<[id: string]>();

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  /** The one that stands now. */
  get(id: string): Tunnel | undefined {
    return this.#tunnels.get(id);
  }

  /** Hears the ids of hosts whose session began or ended, or whose tunnel opened. */
  onChange(listener: (id: string) => void): Disposable {
    return this.#changed.add(listener);
  }

  /** The newest tunnel of a host displaces the one before; without a session it is closed again. */
  opened(id: string, tunnel: Tunnel): void {
    this.#tunnels.get(id)?.close('a newer tunnel of the same host was opened');
    this.#tunnels.delete(id);
    if (!this.#sessions.isConnected(id)) {
      tunnel.close('a tunnel stands only beside a Connect stream');
      return;
    }
    this.#tunnels.set(id, tunnel);
    this.#changed.emit(id);
  }

  closed(id: string, tunnel: Tunnel): void {
    if (this.#tunnels.get(id) === tunnel) this.#tunnels.delete(id);
  }

  /** The host's session began, or ended and takes its tunnel along. */
  sessionChanged(id: string, isOpen: boolean): void {
    if (!isOpen) {
      this.#tunnels.get(id)?.close('the line to it broke');
      this.#tunnels.delete(id);
    }
    this.#changed.emit(id);
  }

  /** The one that stands, or that the host opens when asked. UNAVAILABLE when it is not connected, or opens none. */
  async open(id: string, signal: AbortSignal): Promise<Tunnel> {
    const standing = this.#tunnels.get(id);
    if (standing !== undefined) return standing;
    if (!this.#sessions.askForTunnel(id)) throw this.#unreachable(id);
    return await new Promise<Tunnel>((resolve, reject) => {
      using stack = new DisposableStack();
      const settled = stack.move();
      const look = (): void => {
        const tunnel = this.#tunnels.get(id);
        if (tunnel === undefined && this.#sessions.isConnected(id)) return;
        settled.dispose();
        if (tunnel === undefined) reject(this.#unreachable(id));
        else resolve(tunnel);
      };
      const fail = (error: Error): void => {
        settled.dispose();
        reject(error);
      };
      settled.use(this.#changed.add((changed) => changed === id && look()));
      const timer = setTimeout(
        () => fail(new FleetError('UNAVAILABLE', `${id} opened no tunnel within ${OPENING_DEADLINE_MS / 1_000} s`)),
        OPENING_DEADLINE_MS,
      );
      settled.defer(() => clearTimeout(timer));
      const gone = (): void => fail(signal.reason as Error);
      signal.addEventListener('abort', gone, { once: true });
      settled.defer(() => signal.removeEventListener('abort', gone));
    });
  }

  #unreachable(id: string): FleetError {
    return new FleetError('UNAVAILABLE', `${id} cannot be asked: ${this.#sessions.standing(id)}`);
  }
}
