/** What making a host as its roster says needs of its neighbours, beside what starting and stopping needs. */
import type { Roster, RosterAgent } from '../../src/domain/roster.ts';
import type { LingerOutcome } from '../../src/runtime/linger.ts';
import type { UnitReading } from '../inventory/source.ts';
import type { LaunchGround } from '../launch/launch-paths.ts';
import type { LifecyclePorts } from '../lifecycle/ports.ts';

/** A unit's file as its manager reads it. */
export interface UnitFileNow {
  /** enabled, disabled, static, masked …; null: there is no such file. */
  state: string | null;
  fragmentPath: string | null;
  /** What is on disk is newer than what was loaded. */
  needsReload: boolean;
  /** Wall clock, when it last came up; null: never since the boot. */
  activeSinceMs: number | null;
}

export interface DesiredPorts {
  lifecycle: LifecyclePorts;
  unitFiles: {
    read(name: string): Promise<UnitFileNow>;
    state(name: string): Promise<string | null>;
    enable(names: readonly string[]): Promise<void>;
    disable(names: readonly string[]): Promise<void>;
    resetFailed(name: string): Promise<void>;
    reload(): Promise<void>;
  };
  /** Units as last seen, by name; those that are not there are not in it. */
  unitsSeen(): ReadonlyMap<string, UnitReading>;
  ground: LaunchGround;
  /** Names by which rosters call this machine, and its user. */
  here(): { hostNames: readonly string[]; user: string };
  /** Path of a tmux socket by its name; null is the default one. */
  socketPath(name: string | null): string;
  /** Where that agent's heartbeats are. */
  beatsFolder(agent: string): string;
  /** Reads roster and env files anew for the rows, which follow within a moment. */
  refreshRoster(): Promise<void>;
  /** Wall clock. */
  nowMs(): number;
  linger: { isOn(): boolean; ensure(): Promise<LingerOutcome> };
  launches: {
    /** Of all that a launch would bake now. */
    digestNow(agent: RosterAgent): Promise<string>;
    /** Of what its last launch baked; null: it never was launched, or not by our launcher. */
    digestThen(agent: string): Promise<string | null>;
    /** Why it could not start now, in a few words; null: nothing is known against it. `freed`: of its env file's socket. */
    hindrance(agent: RosterAgent, freed: boolean): Promise<string | null>;
  };
}

/** One agent's entry, and the roster in which it stands. */
export interface Wanted {
  agent: RosterAgent;
  roster: Roster;
}
