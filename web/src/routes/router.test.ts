// Routes, safe return addresses, and history.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { matchRoute, Router, safeNext } from './router.svelte';

describe('matchRoute', () => {
  it.each([
    ['/', 'home', {}],
    ['/workflows', 'workflows', {}],
    ['/executions/', 'executions', {}],
    ['/executions/a%20b', 'execution', { id: 'a b' }],
    ['/executions/%zz', 'not-found', {}],
    ['/executions/1/2', 'not-found', {}],
    ['/nowhere', 'not-found', {}],
  ])('%s', (path, name, params) => expect(matchRoute(path)).toEqual({ name, params }));
});

describe('safeNext', () => {
  it.each([
    [null, '/'],
    ['/executions?status=failed', '/executions?status=failed'],
    ['//evil.example/x', '/'],
    ['https://evil.example/', '/'],
    ['/\\evil.example', '/'],
    ['/sign-in', '/'],
  ])('%s', (next, to) => expect(safeNext(next, 'http://pulse.example')).toBe(to));
});

describe('Router', () => {
  let router: Router;
  let stop: () => void;
  beforeEach(() => {
    window.history.replaceState(null, '', '/executions?status=failed');
    router = new Router(window);
    stop = router.listen();
  });
  afterEach(() => stop());

  it('reads the address and changes the query in place', () => {
    const length = window.history.length;
    expect(router.match.name).toBe('executions');
    router.setQuery({ status: '', q: 'disk' });
    expect(window.location.search).toBe('?q=disk');
    expect(router.query.get('q')).toBe('disk');
    expect(window.history.length).toBe(length);
  });

  it('follows plain links, and leaves the others to the browser', () => {
    document.body.innerHTML = '<a id="in" href="/workflows?q=a">in</a><a id="api" href="/api/executions/1/output" download>out</a>';
    const click = (id: string) => {
      const event = new MouseEvent('click', { bubbles: true, cancelable: true });
      document.getElementById(id)!.dispatchEvent(event);
      return event.defaultPrevented;
    };
    expect(click('in')).toBe(true);
    expect(router.path + router.search).toBe('/workflows?q=a');
    document.getElementById('api')!.addEventListener('click', (event) => queueMicrotask(() => event.preventDefault()));
    expect(click('api')).toBe(false);
  });
});
