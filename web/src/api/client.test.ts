// The HTTP client: headers, problems in the server's words, aborts, unreadable answers.
import { describe, expect, it, vi } from 'vitest';
import { ApiProblem, Client, isAbort, problemText } from './client';

function client(answer: () => Response | Promise<Response>) {
  const fetch = vi.fn(async (_input: RequestInfo | URL, _init?: RequestInit) => answer());
  const onUnauthorized = vi.fn();
  return { fetch, onUnauthorized, client: new Client({ fetch: fetch as typeof globalThis.fetch, csrf: () => 'csrf-1', onUnauthorized }) };
}

const problem = (status: number, body: unknown) => new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/problem+json' } });

describe('Client', () => {
  it('sends the CSRF token and JSON with changes, and neither with reads', async () => {
    const { client: c, fetch } = client(() => new Response('{}'));
    await c.send('POST', '/api/x', { a: 1 });
    await c.get('/api/x');
    const [change, read] = fetch.mock.calls.map(([, init]) => init);
    expect(change).toMatchObject({ method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json', 'X-Pulse-CSRF': 'csrf-1' } });
    expect(read!.headers).not.toHaveProperty('X-Pulse-CSRF');
  });

  it('leaves empty query values out and encodes the others', async () => {
    const { client: c, fetch } = client(() => new Response('{}'));
    await c.get('/api/executions', { status: '', q: 'a&b', cursor: undefined });
    expect(fetch.mock.calls[0]![0]).toBe('/api/executions?q=a%26b');
  });

  it('keeps the words, code and findings of a problem', async () => {
    const finding = { code: 'W010', severity: 'warning', message: '`x` may be left out', path: 'steps[0].command', line: 3, column: 14, help: 'give it a default' };
    const { client: c } = client(() => problem(422, { title: 'Unprocessable', status: 422, detail: '3 mistakes', code: 'invalid', diagnostics: [finding, { path: 'steps[0]', message: 'no id' }] }));
    const error = await c.get('/api/x').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ApiProblem);
    expect(error).toMatchObject({ status: 422, code: 'invalid', message: '3 mistakes' });
    expect(problemText(error)).toBe('3 mistakes\nwarning[W010] at 3:14: `x` may be left out\nhelp: give it a default\nerror at steps[0]: no id');
  });

  it('copes with an error that is no problem document', async () => {
    const { client: c } = client(() => new Response('<html>', { status: 502, statusText: 'Bad Gateway' }));
    await expect(c.get('/api/x')).rejects.toMatchObject({ status: 502, message: 'The server answered 502 Bad Gateway.' });
  });

  it('tells of a 401', async () => {
    const { client: c, onUnauthorized } = client(() => problem(401, { detail: 'sign in' }));
    await expect(c.get('/api/me')).rejects.toMatchObject({ status: 401 });
    expect(onUnauthorized).toHaveBeenCalledOnce();
  });

  it('says so when nobody answers, and passes an abort on as it is', async () => {
    const { client: c } = client(() => Promise.reject(new TypeError('fetch failed')));
    await expect(c.get('/api/x')).rejects.toMatchObject({ code: 'network' });
    const abort = new AbortController();
    const { client: d } = client(() => {
      abort.abort();
      return Promise.reject(new DOMException('gone', 'AbortError'));
    });
    expect(isAbort(await d.get('/api/x', {}, abort.signal).catch((e: unknown) => e))).toBe(true);
  });

  it('refuses an answer that is not JSON, and takes none at all', async () => {
    await expect(client(() => new Response('<html>')).client.get('/api/x')).rejects.toMatchObject({ code: 'bad_answer' });
    await expect(client(() => new Response(null, { status: 204 })).client.send('DELETE', '/api/session')).resolves.toBeUndefined();
  });
});
