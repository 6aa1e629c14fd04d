/**
 * Whether what was noted at `at` is younger than `ms`. What lies further ahead than that was noted by a clock that was
 * wrong: how old it is, nobody knows, and it counts as old, or it would stay young until that time has come.
 */
export const isYounger = (at: number, ms: number, now: number): boolean => Math.abs(now - at) < ms;
