/** gRPC channels to the controller: mutual TLS with this host's certificate, the server known by its SPIFFE id. */
import { type ChannelCredentials, type ClientOptions, credentials } from '@grpc/grpc-js';
import { type ClientIdentityPem, clientTls } from '../../src/identity/client-tls.ts';
import { EnrollmentServiceClient } from '../../src/wire/gen/fleet/v1/enrollment.ts';
import { HostAgentServiceClient } from '../../src/wire/gen/fleet/v1/host_agent.ts';

/**
 * Keepalive ends a half-open line within about 4 s where TCP alone would wait for minutes; reconnecting is ours,
 * so grpc-js's own backoff stays short.
 */
const CHANNEL_OPTIONS: ClientOptions = {
  'grpc.keepalive_time_ms': 2_000,
  'grpc.keepalive_timeout_ms': 2_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.max_receive_message_length': 1024 * 1024,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  // Names in DNS decide nothing, and an IP address is no server name: the SPIFFE id in the certificate is checked.
  'grpc.ssl_target_name_override': 'fleet-controller',
};

/** Of each identity that is held: while a controller is away it is dialled again and again, and PEM is slow to read. */
const HELD = new WeakMap<ClientIdentityPem, ChannelCredentials>();

const tlsCredentials = (identity: ClientIdentityPem, nowMs: () => number): ChannelCredentials => {
  const held = HELD.get(identity) ?? makeCredentials(identity, nowMs);
  HELD.set(identity, held);
  return held;
};

const makeCredentials = (identity: ClientIdentityPem, nowMs: () => number): ChannelCredentials => {
  const { checkServerIdentity } = clientTls(identity, nowMs);
  return credentials.createSsl(
    Buffer.from(identity.trustBundlePem),
    identity.keyPem === null ? null : Buffer.from(identity.keyPem),
    identity.certificatePem === null ? null : Buffer.from(identity.certificatePem),
    { checkServerIdentity },
  );
};

export const uplinkChannel = (
  address: string,
  identity: ClientIdentityPem,
  nowMs: () => number,
): HostAgentServiceClient => new HostAgentServiceClient(address, tlsCredentials(identity, nowMs), CHANNEL_OPTIONS);

/** Without a certificate it reaches the enrolment calls and nothing else. */
export const enrollmentChannel = (
  address: string,
  identity: ClientIdentityPem,
  nowMs: () => number,
): EnrollmentServiceClient => new EnrollmentServiceClient(address, tlsCredentials(identity, nowMs), CHANNEL_OPTIONS);
