// Every call of the HTTP API that the dashboard makes, typed by the generated types.
import type { Client } from './client';
import type { AbortRequest, Created, ExecuteRequest, ExecutionSummary, ExecutionView, Me, Page, RespondRequest, SessionRequest, WorkerView, WorkflowSummary } from './generated';

export interface ExecutionFilter {
  status?: string;
  workflow?: string;
  q?: string;
  cursor?: string;
  limit?: number;
}

const at = (strings: TemplateStringsArray, id: string) => `${strings[0]}${encodeURIComponent(id)}${strings[1] ?? ''}`;

export function createApi(client: Client) {
  return {
    me: (signal?: AbortSignal) => client.get<Me>('/api/me', {}, signal),
    signIn: (proof: SessionRequest) => client.send<Me>('POST', '/api/session', proof),
    signOut: () => client.send<void>('DELETE', '/api/session'),

    workflows: (query: { cursor?: string; limit?: number } = {}, signal?: AbortSignal) =>
      client.get<Page<WorkflowSummary>>('/api/workflows', query, signal),
    execute: (workflow: string, body: ExecuteRequest, idempotencyKey: string) =>
      client.send<Created>('POST', at`/api/workflows/${workflow}/execute`, body, { headers: { 'Idempotency-Key': idempotencyKey } }),

    executions: (filter: ExecutionFilter, signal?: AbortSignal) => client.get<Page<ExecutionSummary>>('/api/executions', { ...filter }, signal),
    execution: (id: string, signal?: AbortSignal) => client.get<ExecutionView>(at`/api/executions/${id}`, {}, signal),
    respond: (id: string, body: RespondRequest) => client.send<unknown>('POST', at`/api/executions/${id}/respond`, body),
    abort: (id: string, body: AbortRequest) => client.send<unknown>('POST', at`/api/executions/${id}/abort`, body),

    worker: (name: string, signal?: AbortSignal) => client.get<WorkerView>(at`/api/workers/${name}`, {}, signal),
    workers: (query: { cursor?: string; limit?: number } = {}, signal?: AbortSignal) => client.get<Page<WorkerView>>('/api/workers', query, signal),
  };
}

export type Api = ReturnType<typeof createApi>;

/** A random key for one attempt to start something; works without a secure context too, where randomUUID is missing. */
export function newIdempotencyKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
