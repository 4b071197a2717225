// The HTTP client: `fetch`, the CSRF token and abort signals come from outside; every failure becomes an ApiProblem.
import type { Diagnostic } from './generated';

/** An error answer in the server's own words, or one of our own kinds: `network` and `bad_answer`. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    detail: string,
    readonly diagnostics: Diagnostic[] = [],
  ) {
    super(detail);
    this.name = 'ApiProblem';
  }
}

export interface ClientOptions {
  fetch: typeof fetch;
  /** The session's CSRF token, sent with every changing call. */
  csrf: () => string | null;
  /** Told about each 401, so that the page can ask for a new sign-in. */
  onUnauthorized?: () => void;
}

export type Query = Record<string, string | number | undefined>;

export interface SendOptions {
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

export class Client {
  constructor(private readonly options: ClientOptions) {}

  get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== '') search.set(name, String(value));
    }
    const text = search.toString();
    return this.call<T>(text ? `${path}?${text}` : path, { method: 'GET', headers: {}, signal });
  }

  send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, options: SendOptions = {}): Promise<T> {
    const headers: Record<string, string> = { 'content-type': 'application/json', ...options.headers };
    const csrf = this.options.csrf();
    if (csrf) headers['X-Pulse-CSRF'] = csrf;
    return this.call<T>(path, { method, headers, body: JSON.stringify(body ?? {}), signal: options.signal });
  }

  private async call<T>(path: string, init: { method: string; headers: Record<string, string>; body?: string; signal?: AbortSignal }): Promise<T> {
    let response: Response;
    try {
      response = await this.options.fetch(path, {
        ...init,
        headers: { accept: 'application/json', ...init.headers },
        credentials: 'same-origin',
      });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw new ApiProblem(0, 'network', 'No answer', 'The server cannot be reached.');
    }
    if (!response.ok) {
      if (response.status === 401) this.options.onUnauthorized?.();
      throw await toProblem(response);
    }
    if (response.status === 204) return undefined as T;
    const text = await response.text();
    if (text === '') return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new ApiProblem(response.status, 'bad_answer', 'Unreadable answer', `The answer to ${init.method} ${path} is not JSON.`);
    }
  }
}

async function toProblem(response: Response): Promise<ApiProblem> {
  const fallback = `The server answered ${response.status} ${response.statusText}`.trim() + '.';
  try {
    const body: unknown = await response.json();
    if (typeof body === 'object' && body !== null) {
      const { code, title, detail, diagnostics } = body as Record<string, unknown>;
      return new ApiProblem(
        response.status,
        typeof code === 'string' ? code : `http_${response.status}`,
        typeof title === 'string' ? title : response.statusText,
        typeof detail === 'string' && detail !== '' ? detail : typeof title === 'string' ? title : fallback,
        Array.isArray(diagnostics) ? (diagnostics as Diagnostic[]) : [],
      );
    }
  } catch {
    // Not problem+json (a proxy's page, say): the status line is all there is.
  }
  return new ApiProblem(response.status, `http_${response.status}`, response.statusText, fallback);
}

/** What to tell a person about any thrown value. */
export function problemText(error: unknown): string {
  if (error instanceof ApiProblem) {
    return [error.message, ...error.diagnostics.map(findingText)].join('\n');
  }
  return error instanceof Error ? error.message : String(error);
}

/** One finding: what and where, and on a line of its own what to do about it. */
function findingText({ severity, code, line, column, path, message, help }: Partial<Diagnostic>): string {
  // A server of another version may leave some of it out; a place of 0 is none.
  const kind = [severity ?? 'error', code ? `[${code}]` : ''].join('');
  const place = line ? ` at ${line}:${column ?? 1}` : path ? ` at ${path}` : '';
  return `${kind}${place}: ${message ?? ''}${help ? `\nhelp: ${help}` : ''}`;
}

/** True for the rejection of a call that we aborted ourselves. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
