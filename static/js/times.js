/** Times as the page shows them: by the server's clock, in the user's zone. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds this computer's clock is behind the server's, as far as the page can tell. */
let behind = 0;

/**
 * @param {string | undefined} serverNow ISO 8601, when the page was made
 */
export function setClock(serverNow) {
  const told = Date.parse(serverNow ?? "");
  const made = performance.timeOrigin + (navigationTiming()?.responseStart ?? 0);
  behind = Number.isNaN(told) ? 0 : told - made;
  // The page's time is in whole seconds: a smaller difference says nothing.
  if (Math.abs(behind) < 1_500) {
    behind = 0;
  }
}

/** @returns {number} now, in milliseconds by the server's clock */
export function serverTime() {
  return Date.now() + behind;
}

/**
 * Minutes and seconds, `4:07`, from one time to another.
 *
 * @param {string | null | undefined} from ISO 8601
 * @param {string | null | undefined} [to] now, if not given
 * @returns {string}
 */
export function span(from, to) {
  const begun = Date.parse(from ?? "");
  const end = to ? Date.parse(to) : serverTime();
  const seconds = Number.isNaN(begun) ? 0 : Math.max(0, Math.floor((end - begun) / 1000));
  const minutes = Math.floor(seconds / 60);
  const rest = String(seconds % 60).padStart(2, "0");
  return minutes < 60
    ? `${minutes}:${rest}`
    : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

/**
 * A place in a recording, `0:16` or `1:02:05`.
 *
 * @param {number} seconds
 * @returns {string}
 */
export function inPlay(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return span("1970-01-01T00:00:00Z", new Date(whole * 1000).toISOString());
}

/**
 * Hours and minutes, `10:42`.
 *
 * @param {string | number | null | undefined} at ISO 8601, or milliseconds
 * @returns {string} empty for no time
 */
export function clock(at) {
  const time = new Date(at ?? Number.NaN);
  if (Number.isNaN(time.getTime())) {
    return "";
  }
  const { zone } = document.documentElement.dataset;
  return new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    ...(zone ? { timeZone: zone } : {}),
  }).format(time);
}

/**
 * A time for people: hours and minutes, with the day before it when it is a day or more off.
 *
 * @param {string | null | undefined} at ISO 8601
 * @returns {string} empty for no time
 */
export function moment(at) {
  const time = Date.parse(at ?? "");
  if (Number.isNaN(time) || Math.abs(time - serverTime()) < DAY) {
    return clock(at);
  }
  const { zone } = document.documentElement.dataset;
  const day = new Intl.DateTimeFormat(document.documentElement.lang || "en", {
    day: "numeric",
    month: "short",
    ...(zone ? { timeZone: zone } : {}),
  }).format(time);
  return `${day} ${clock(at)}`;
}

/**
 * How long ago something was, in whole minutes, hours, or days from the second one on.
 *
 * @param {string} at ISO 8601
 * @returns {{ unit: "min" | "h" | "d", count: number }}
 */
export function age(at) {
  const passed = Math.max(0, serverTime() - Date.parse(at)) || 0;
  if (passed < HOUR) {
    return { unit: "min", count: Math.floor(passed / MINUTE) };
  }
  return passed < 2 * DAY
    ? { unit: "h", count: Math.floor(passed / HOUR) }
    : { unit: "d", count: Math.floor(passed / DAY) };
}

/**
 * The midnight that ends this day where the reader is.
 *
 * @returns {string} ISO 8601
 */
export function endOfToday() {
  const [hours, minutes] = clock(serverTime()).split(":").map(Number);
  const minute = Math.floor(serverTime() / MINUTE);
  let midnight = (minute + 24 * 60 - ((hours ?? 0) * 60 + (minutes ?? 0))) * MINUTE;
  // The day that ends may have had 23 hours, or 25.
  const [late] = clock(midnight).split(":").map(Number);
  if (late) {
    midnight += late > 12 ? (24 - late) * HOUR : -late * HOUR;
  }
  return new Date(midnight).toISOString();
}

function navigationTiming() {
  const [entry] = performance.getEntriesByType("navigation");
  return entry instanceof PerformanceNavigationTiming ? entry : undefined;
}
