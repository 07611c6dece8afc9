/** From which session a message comes, where that is no agent's: words in the place of an agent's name. */

/** Outside every agent's pane: a person, as far as that machine can tell. */
export const OPERATOR_SESSION = 'operator';
/** It cannot be told who asks. */
export const UNPROVEN_SESSION = 'unproven';
