// Times and durations in words; pure functions.

const UNITS: [limit: number, divisor: number, unit: string][] = [
  [60_000, 1000, 's'],
  [3_600_000, 60_000, ' min'],
  [86_400_000, 3_600_000, ' h'],
  [Infinity, 86_400_000, ' d'],
];

export function relativeTime(at: string, now: number): string {
  const time = Date.parse(at);
  if (Number.isNaN(time)) return at;
  const distance = Math.abs(now - time);
  if (distance < 2000) return time - now >= 500 ? `in ${Math.round(distance / 1000)}s` : 'just now';
  const [, divisor, unit] = UNITS.find(([limit]) => distance < limit)!;
  const text = `${Math.floor(distance / divisor)}${unit}`;
  return time > now ? `in ${text}` : `${text} ago`;
}

/** The moment in the reader's zone, down to the millisecond, with the zone named. */
export function exactTime(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  const pad = (value: number, width = 2) => String(value).padStart(width, '0');
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  const zone = new Intl.DateTimeFormat('en', { timeZoneName: 'short' }).formatToParts(date).find((part) => part.type === 'timeZoneName');
  return `${day} ${clockTime(at)}.${pad(date.getMilliseconds(), 3)} ${zone?.value ?? ''}`.trim();
}

/** HH:MM:SS in the reader's zone. */
export function clockTime(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
