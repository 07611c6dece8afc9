/** What bounds a connection, for each audience: strangers, identities that are enrolled, and local callers. */
import type { ServerOptions } from '@grpc/grpc-js';
import { FRONT_LIMITS, type FrontLimits } from './tls-front.ts';

export interface ServerLimits extends FrontLimits {
  /** Connections without an accepted certificate: how many, and for how long each. */
  maxStrangers: number;
  strangerLifetimeMs: number;
  maxStrangersPerAddress: number;
  /** Connections of one identity, or of one peer: nobody leaves the others without. */
  maxPerIdentity: number;
  keepaliveTimeMs: number;
  keepaliveTimeoutMs: number;
  maxMessageBytes: number;
  /** How long streams may take to say goodbye when their identity falls or the server stops. */
  graceMs: number;
}

export const SERVER_LIMITS: ServerLimits = {
  ...FRONT_LIMITS,
  maxStrangers: 256,
  strangerLifetimeMs: 30_000,
  maxStrangersPerAddress: 64,
  maxPerIdentity: 256,
  keepaliveTimeMs: 2_500,
  // Longer than a missed beat: a line that this gives up is then known to have been silent, not closed by a program.
  keepaliveTimeoutMs: 3_500,
  maxMessageBytes: 4 * 1024 * 1024,
  graceMs: 300,
};

export type Audience = 'strangers' | 'known' | 'local';

export const optionsFor = (audience: Audience, limits: ServerLimits): ServerOptions => ({
  'grpc.enable_channelz': 0,
  'grpc.max_send_message_length': limits.maxMessageBytes,
  'grpc.max_receive_message_length': audience === 'strangers' ? 64 * 1024 : limits.maxMessageBytes,
  'grpc.max_concurrent_streams': audience === 'strangers' ? 4 : 1_000,
  // MB; without it the library lets a session grow without bound.
  ...(audience === 'strangers' ? { 'grpc-node.max_session_memory': 4 } : {}),
  ...(audience === 'local'
    ? {}
    : {
        'grpc.keepalive_time_ms': limits.keepaliveTimeMs,
        'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
      }),
});
