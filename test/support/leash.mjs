/**
 * Ends this process soon after the one that started it has gone, SIGKILL included. Preloaded by programs that tests start:
 * `node --import …/leash.mjs`.
 */
/** What it calls runs once. */
export function whenParentIsGone(act) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    act();
  }, 500);
  timer.unref();
}

if (process.execArgv.includes(import.meta.url)) {
  whenParentIsGone(() => process.kill(process.pid, 'SIGKILL'));
}
