/** grpc-js wraps the one word that tells (ECONNREFUSED, a TLS alert) in its own account of the channel (seen: 1.14.7). */
const WRAPPED =
  /^No connection established\. Last error: (?:Error: )?(?<cause>.*?)(?: - Local \(.*?\))?\.? ?(?:Resolution note: .*)?$/s;

/** Why a call failed, in one short line. */
export const plainReason = (details: string): string => {
  const wrapped = WRAPPED.exec(details)?.groups?.cause;
  const cause = wrapped === undefined ? details : wrapped === 'null' ? 'no connection' : wrapped;
  return cause.replace(/\s+/g, ' ').trim().slice(0, 300);
};
