import manifest from '../../package.json' with { type: 'json' };

/** Of this program, as its package says. */
export const FLEET_VERSION: string = manifest.version;
