/** The host-agent's settings: flag > environment > default, checked once. */
import { hostname, userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import * as z from 'zod/mini';
import { $ZodError } from 'zod/v4/core';
import en from 'zod/v4/locales/en.js';
import { FleetError } from '../src/domain/errors.ts';
import { INSTANCE_NAME, type Paths, resolvePaths } from '../src/runtime/paths.ts';

const schema = z.object({
  instance: z.nullable(z.string().check(z.regex(INSTANCE_NAME, 'use letters, digits, _ and -, at most 32'))),
  name: z.string().check(z.minLength(1)),
  logFile: z.nullable(z.string()),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
});

export interface HostAgentConfig extends z.infer<typeof schema> {
  paths: Paths;
  user: string;
  uid: number;
}

const HOST_AGENT_USAGE = 'fleet-host-agent [--instance NAME] [--name HOST] [--log FILE] [--log-level LEVEL]';

/** Throws INVALID_ARGUMENT with the word that is wrong. */
export const readConfig = (argv: readonly string[], env: NodeJS.ProcessEnv): HostAgentConfig => {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        instance: { type: 'string' },
        name: { type: 'string' },
        log: { type: 'string' },
        'log-level': { type: 'string' },
      },
    });
    const given = {
      instance: values.instance ?? null,
      name: values.name ?? env.FLEET_HOST_NAME ?? hostname(),
      logFile: values.log ?? null,
      logLevel: values['log-level'] ?? env.FLEET_LOG_LEVEL ?? 'info',
    };
    const settings = schema.parse(given, { error: en().localeError });
    const { username, uid } = userInfo();
    if (uid === 0 && settings.instance === null) {
      throw new FleetError(
        'FAILED_PRECONDITION',
        'a host-agent runs as the tenant, never as root; as root give --instance NAME',
      );
    }
    return Object.freeze({
      ...settings,
      paths: resolvePaths({ instance: settings.instance, env }),
      user: username,
      uid,
    });
  } catch (error) {
    if (error instanceof FleetError) throw error;
    const why = error instanceof $ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new FleetError('INVALID_ARGUMENT', `${why.replace(/\s+/g, ' ')}; usage: ${HOST_AGENT_USAGE}`);
  }
};
