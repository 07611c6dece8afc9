/** Prints why this machine cannot carry the e2e lane, or nothing. */
import { whyNoTestbed } from './missing.ts';

process.stdout.write(whyNoTestbed() ?? '');
