// What several tests share: sample data as the server sends it, a socket under control, services for components.
import { vi } from 'vitest';
import type { Entry, ExecutionView, Me, Param, WorkflowSummary } from './api/generated';
import type { SocketLike } from './api/socket';
import type { Services } from './app';
import { Session } from './features/session/session.svelte';
import { Toasts } from './features/shell/toasts.svelte';

export const at = (second: number) => `2026-11-24T03:00:${String(second).padStart(2, '0')}.000Z`;

export const me: Me = { name: 'ada', role: 'operator', groups: [], csrf: 'csrf-1' };

export function workflow(params: Param[]): WorkflowSummary {
  return { id: 'w1', name: 'disk-check', description: 'Find a full disk', tags: ['storage'], params, version: 1, created_by: 'ada', created_at: at(0), updated_at: at(0) };
}

export function execution(logs: Entry[] = []): ExecutionView {
  return {
    id: 'x1', workflow: 'disk-check', title: 'disk-check', version: 1, status: 'queued', started_by: 'ada', trigger: 'api', created_at: at(0), started_at: null,
    finished_at: null, error: null, waiting_for_input: false, automated: false, params: {}, prompt: null, prompts: [], parent: null, children: [], state: {}, logs,
    steps: [{ id: 'check', name: 'Check', type: 'execute', parent: null, runs: 0, status: 'pending', started_at: null, finished_at: null, commands: [] }],
  };
}

export const inStep = { frame: 0, step: 1, step_id: 'check', step_name: 'Check' };

export function entry(seq: number, fields: Record<string, unknown> & { action: string }): Entry {
  return { seq, timestamp: at(seq), ...fields } as unknown as Entry;
}

/** A WebSocket whose other end is the test. */
export class FakeSocket implements SocketLike {
  onopen: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  sent: unknown[] = [];
  closed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.closed = true;
  }
  opens(): void {
    this.onopen?.({} as never);
  }
  breaks(): void {
    this.onclose?.({} as never);
  }
  says(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) } as never);
  }
}

/** Enough services for a component that shows toasts and asks for the role. */
export function services(over: Partial<Services> = {}): Services {
  const session = new Session();
  session.state = { kind: 'in', me };
  return { session, toasts: new Toasts(), ...over } as Services;
}

export const never = vi.fn(() => new Promise<never>(() => {}));
