const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A span in its two largest units: `2 d 4 h`, `12 min`, `8 s`. */
export function spanText(spanMs: number): string {
  const span = Math.max(0, spanMs);
  if (span >= day) return join(Math.floor(span / day), "d", Math.floor((span % day) / hour), "h");
  if (span >= hour) return join(Math.floor(span / hour), "h", Math.floor((span % hour) / minute), "min");
  if (span >= 10 * minute) return `${Math.floor(span / minute)} min`;
  if (span >= minute)
    return join(Math.floor(span / minute), "min", Math.floor((span % minute) / second), "s");
  return `${Math.floor(span / second)} s`;
}

const join = (big: number, bigUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;

/** How long ago, seen from `now`; a clock that is slightly behind does not make the past the future. */
export function agoText(at: number, now: number): string {
  const age = now - at;
  if (age < -5 * second) return `in ${coarse(-age)}`;
  return age < 2 * second ? "just now" : `${coarse(age)} ago`;
}

function coarse(span: number): string {
  if (span >= day) return `${Math.floor(span / day)} d`;
  if (span >= hour) return `${Math.floor(span / hour)} h`;
  if (span >= minute) return `${Math.floor(span / minute)} min`;
  return `${Math.floor(span / second)} s`;
}

export type Urgency = "calm" | "soon" | "urgent" | "over";

/** How pressing a deadline is: under an hour is urgent, under a day soon. */
export function urgency(deadline: number, now: number): Urgency {
  const left = deadline - now;
  if (left <= 0) return "over";
  if (left < hour) return "urgent";
  return left < day ? "soon" : "calm";
}

/** A moment beyond the year 9999 is none: whoever set it meant that there is no end. */
export const lastWrittenMoment = Date.UTC(9999, 11, 31);

/** Beyond a century nobody counts the days: such a deadline says that there is none. */
const endless = 100 * 365 * day;

export function leftText(deadline: number, now: number): string {
  if (deadline - now >= endless) return "no time limit";
  return deadline <= now ? "time is up" : `${spanText(deadline - now)} left`;
}

const absolute = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "medium",
  timeStyle: "medium",
  hourCycle: "h23",
});

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", hourCycle: "h23" });

/** Local time to the second: of what is not long ago. */
export const clockText = (at: number): string => clock.format(at);

/** Local date and time to the second, with the zone. */
export function absoluteText(at: number): string {
  const zone = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" })
    .formatToParts(at)
    .find((part) => part.type === "timeZoneName")?.value;
  return `${absolute.format(at)} ${zone ?? ""}`.trim();
}

/** How long before its end a receipt can be demanded; see `Clearing.EXIT_WINDOW`. */
const exitWindowMs = 14 * day;

/** When Clearing credits a payee by its receipt alone, if no epoch has done so before. */
export function demandText({ expiresAt }: { expiresAt: number }, now: number): string {
  const until = expiresAt * second;
  const from = until - exitWindowMs;
  if (now >= until) return `Expired ${absoluteText(until)}`;
  return now < from
    ? `Can be demanded from ${absoluteText(from)}, if no epoch has it by then`
    : `Can be demanded until ${absoluteText(until)}, if no epoch has it`;
}
