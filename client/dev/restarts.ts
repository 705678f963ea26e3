/** How often something that ends by itself is started again before a person has to look at it. */
export interface Restarts {
  readonly most: number;
  readonly minutes: number;
  /** False: not this time. */
  readonly take: () => boolean;
}

export function restartsAllowed(most = 5, minutes = 10): Restarts {
  let taken: number[] = [];
  return {
    most,
    minutes,
    take: () => {
      const now = performance.now();
      taken = taken.filter((at) => now - at < minutes * 60_000);
      if (taken.length >= most) return false;
      taken.push(now);
      return true;
    },
  };
}
