/** The controller's settings: flag > environment > default, checked once. */
import { hostname, userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import * as z from 'zod/mini';
import { $ZodError } from 'zod/v4/core';
import en from 'zod/v4/locales/en.js';
import { FleetError } from '../src/domain/errors.ts';
import { INSTANCE_NAME, type Paths, resolvePaths } from '../src/runtime/paths.ts';

/** Where hosts dial unless told otherwise. */
const DEFAULT_PORT = 7443;

/** Of a controller that was never told another; afterwards its authority's own. */
export const DEFAULT_CELL = 'home';

const schema = z.object({
  instance: z.nullable(z.string().check(z.regex(INSTANCE_NAME, 'use letters, digits, _ and -, at most 32'))),
  cell: z.nullable(
    z.string().check(z.regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/, 'use a-z 0-9 . and -, at most 63')),
  ),
  port: z.coerce.number().check(z.int(), z.minimum(0), z.maximum(65_535)),
  /** On loopback; null: none are served. 0: any that is free. */
  metricsPort: z.nullable(z.coerce.number().check(z.int(), z.minimum(0), z.maximum(65_535))),
  certificateLifetimeMs: z.pipe(
    z.coerce.number().check(z.minimum(5)),
    z.transform((seconds: number) => seconds * 1_000),
  ),
  /** A backup to put in its place, instead of running; `force`: also where a cell lives. */
  restore: z.nullable(z.string()),
  force: z.boolean(),
  logFile: z.nullable(z.string()),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
});

export interface ControllerConfig extends z.infer<typeof schema> {
  paths: Paths;
  /** In the controller's own SPIFFE id. */
  name: string;
}

const CONTROLLER_USAGE =
  'fleet-controller [--instance NAME] [--cell CELL] [--port PORT] [--certificate-lifetime SECONDS] [--metrics-port PORT] [--log FILE] [--log-level LEVEL] [--restore FILE [--force]]';

/** Throws INVALID_ARGUMENT with the word that is wrong. */
export const readConfig = (argv: readonly string[], env: NodeJS.ProcessEnv): ControllerConfig => {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        instance: { type: 'string' },
        cell: { type: 'string' },
        port: { type: 'string' },
        'certificate-lifetime': { type: 'string' },
        'metrics-port': { type: 'string' },
        restore: { type: 'string' },
        force: { type: 'boolean' },
        log: { type: 'string' },
        'log-level': { type: 'string' },
      },
    });
    const instance = values.instance ?? null;
    const given = {
      instance,
      cell: values.cell ?? env.FLEET_CELL ?? null,
      port: values.port ?? env.FLEET_PORT ?? (instance === null ? DEFAULT_PORT : 0),
      certificateLifetimeMs: values['certificate-lifetime'] ?? env.FLEET_CERTIFICATE_LIFETIME ?? 7 * 86_400,
      metricsPort: values['metrics-port'] ?? (env.FLEET_METRICS_PORT || null),
      restore: values.restore ?? null,
      force: values.force ?? false,
      logFile: values.log ?? null,
      logLevel: values['log-level'] ?? env.FLEET_LOG_LEVEL ?? 'info',
    };
    const settings = schema.parse(given, { error: en().localeError });
    if (userInfo().uid === 0 && instance === null) {
      throw new FleetError(
        'FAILED_PRECONDITION',
        'a controller runs as a user, never as root; as root give --instance NAME',
      );
    }
    const name = hostname().replace(/[^A-Za-z0-9._-]/g, '-') || 'controller';
    return Object.freeze({ ...settings, paths: resolvePaths({ instance, env }), name });
  } catch (error) {
    if (error instanceof FleetError) throw error;
    const why = error instanceof $ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new FleetError('INVALID_ARGUMENT', `${why.replace(/\s+/g, ' ')}; usage: ${CONTROLLER_USAGE}`);
  }
};
