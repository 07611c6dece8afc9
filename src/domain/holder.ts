/** The unit that keeps a shared tmux server alive. Its session is no row; an order names it by this key. */

/** As the fleets that exist call it. */
export const HOLDER_UNIT = 'mosaic-tmux-holder.service';

const PREFIX = 'holder:';
const UNIT = /^[A-Za-z0-9@_.-]{1,128}\.service$/;

export const holderKey = (unit: string = HOLDER_UNIT): string => `${PREFIX}${unit}`;

/** null: the key is an agent's. Rows' keys begin with `roster:` or `tmux:`. */
export const holderUnitOf = (key: string): string | null => {
  const unit = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : '';
  return UNIT.test(unit) ? unit : null;
};
