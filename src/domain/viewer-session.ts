/** Sessions that viewers of an older tool made beside an agent's own: `<agent>-watch-<pid>`. */
export const viewerPid = (session: string): number | null => {
  const pid = /-watch-(\d{1,7})$/.exec(session)?.[1];
  return pid === undefined ? null : Number(pid);
};

/** Its viewer is gone and it is still there. */
export const isViewerLeftBehind = (session: string, isAlive: (pid: number) => boolean): boolean => {
  const pid = viewerPid(session);
  return pid !== null && !isAlive(pid);
};
