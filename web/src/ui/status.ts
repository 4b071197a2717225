// How each status of an execution, step, command or worker looks: a glyph, a tone, and whether it is still moving.
import type { ExecutionSummary } from '../api/generated';

export interface StatusLook {
  glyph: string;
  tone: 'ok' | 'idle' | 'live' | 'ask' | 'bad';
  live: boolean;
}

const LOOKS: Record<string, StatusLook> = {
  queued: { glyph: '○', tone: 'idle', live: false },
  pending: { glyph: '○', tone: 'idle', live: false },
  sent: { glyph: '►', tone: 'live', live: true },
  running: { glyph: '►', tone: 'live', live: true },
  waiting: { glyph: '?', tone: 'ask', live: true },
  'timed wait': { glyph: '◷', tone: 'live', live: true },
  completed: { glyph: '✓', tone: 'ok', live: false },
  succeeded: { glyph: '✓', tone: 'ok', live: false },
  online: { glyph: '●', tone: 'ok', live: false },
  failed: { glyph: '✗', tone: 'bad', live: false },
  lost: { glyph: '✗', tone: 'bad', live: false },
  timed_out: { glyph: '✗', tone: 'bad', live: false },
  'running, worker unreachable': { glyph: '◌', tone: 'ask', live: false },
  unreachable: { glyph: '◌', tone: 'ask', live: false },
  offline: { glyph: '○', tone: 'ask', live: false },
  aborted: { glyph: '■', tone: 'ask', live: false },
  'given up': { glyph: '■', tone: 'ask', live: false },
  cancelled: { glyph: '■', tone: 'ask', live: false },
  retrying: { glyph: '↻', tone: 'ask', live: true },
  'not started': { glyph: '○', tone: 'idle', live: false },
  'not run': { glyph: '–', tone: 'idle', live: false },
  skipped: { glyph: '–', tone: 'idle', live: false },
};

const UNKNOWN: StatusLook = { glyph: '·', tone: 'idle', live: false };

/** Waiting for a person is one thing, waiting for a time another: only the first is told as waiting. */
export function standing({ status, waiting_for_input }: Pick<ExecutionSummary, 'status' | 'waiting_for_input'>): string {
  return status === 'waiting' && !waiting_for_input ? 'timed wait' : status;
}

/** What its commands wait for, where that is not their own work. */
export function deliveryNote({ delivery }: Pick<ExecutionSummary, 'delivery'>): string {
  return delivery === 'worker_unreachable' ? '◌ worker unreachable' : delivery === 'queued' ? '○ queued, not sent yet' : '';
}

export function statusLook(status: string): StatusLook {
  return LOOKS[status] ?? UNKNOWN;
}
