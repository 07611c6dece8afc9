/** What a tmux client says on stderr where no server answers it. Words of tmux 3.2 to 3.6, client.c. */

const NO_SERVER =
  /no server running on |error connecting to .*\((?:No such file|Connection refused)|server exited|lost server/;

/** Also where the server ended while it was asked: what was asked may then have been done. */
export const saysNoServer = (stderr: string): boolean => NO_SERVER.test(stderr);
