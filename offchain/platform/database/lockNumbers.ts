/**
 * Every number by which the database's advisory locks are taken, so that no two uses share one. A lock of one number and a
 * lock of a pair never meet, but each number stands here once all the same.
 */
export const lockNumbers = {
  migrations: 0x62757273,
  /** With the chain run. */
  paymentBooks: 0x62757274,
  openHolds: 0x62757276,
  solvency: 0x62757277,
  /** With the owner. */
  schedules: 0x62757278,
} as const;
