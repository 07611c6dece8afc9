/** To whom enrolled users belong unless said otherwise; it is always there. */
export const DEFAULT_TENANT = 'default';
