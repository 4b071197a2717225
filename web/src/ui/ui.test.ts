// Small pure parts of the interface: times, plain text, statuses, keys, the CRT switch, paged lists.
import { describe, expect, it, vi } from 'vitest';
import { Crt } from '../features/shell/crt.svelte';
import { createKeyHandler } from '../features/shell/keys';
import { outcomeToast } from '../features/shell/outcome';
import { Toasts } from '../features/shell/toasts.svelte';
import { Pages } from './pages.svelte';
import { plainLine, plainText } from './plain';
import { standing, statusLook } from './status';
import { duration, relativeTime } from './time';

describe('times', () => {
  const now = Date.parse('2026-11-24T12:00:00Z');
  it.each([
    ['2026-11-24T11:59:59Z', 'just now'],
    ['2026-11-24T11:59:30Z', '30s ago'],
    ['2026-11-24T12:05:30Z', 'in 5 min'],
    ['2026-11-24T12:00:01Z', 'in 1s'],
    ['2026-11-24T09:00:00Z', '3 h ago'],
    ['2026-11-20T12:00:00Z', '4 d ago'],
    ['nonsense', 'nonsense'],
  ])('%s', (at, words) => expect(relativeTime(at, now)).toBe(words));
  it.each([[40, '40 ms'], [1234, '1.2 s'], [65_000, '1 min 5 s'], [3_700_000, '1 h 1 min'], [90_000_000, '1 d 1 h']])('%d ms', (ms, words) => expect(duration(ms)).toBe(words));
});

describe('standing', () => {
  it.each([
    ['waiting', true, 'waiting'],
    ['waiting', false, 'timed wait'],
    ['running', false, 'running'],
  ] as const)('%s, for a person: %s', (status, waiting_for_input, word) => expect(standing({ status, waiting_for_input })).toBe(word));
});

describe('plain text', () => {
  it.each([
    ['\u001b[1;31mred\u001b[0m', 'red'],
    ['10%\r50%\r100%\r\ndone', '100%\ndone'],
    ['\u001b]0;title\u0007text', 'text'],
    ['a\u0000b\u0007', 'a\u2400b\u2407'],
    ['safe\u202etxt.exe', 'safe\ufffdtxt.exe'],
    ['tab\tstays', 'tab\tstays'],
  ])('%j', (text, plain) => expect(plainText(text)).toBe(plain));
  it('makes one line of several', () => expect(plainLine('web\n✓ forged')).toBe('web ✓ forged'));
});

it('gives every status a glyph, known or not', () => {
  for (const status of ['running', 'failed', 'brand-new']) expect(statusLook(status).glyph).not.toBe('');
});

describe('keys', () => {
  const press = (handler: (event: KeyboardEvent) => void, key: string, target: EventTarget = document.body) => {
    const event = new KeyboardEvent('keydown', { key, cancelable: true });
    Object.defineProperty(event, 'target', { value: target });
    handler(event);
    return event.defaultPrevented;
  };
  const setup = () => {
    const actions = { help: vi.fn(), page: vi.fn(), search: vi.fn() };
    let now = 0;
    return { actions, handler: createKeyHandler(actions, () => now), wait: (ms: number) => (now += ms) };
  };

  it('goes to pages by g and a letter, soon enough', () => {
    const { actions, handler, wait } = setup();
    press(handler, 'g');
    press(handler, 'e');
    press(handler, 'e');
    press(handler, 'g');
    wait(5000);
    press(handler, 'w');
    expect(actions.page.mock.calls).toEqual([['/executions']]);
  });

  it('opens help and search, but never while someone types', () => {
    const { actions, handler } = setup();
    expect(press(handler, '?')).toBe(true);
    expect(press(handler, '/')).toBe(true);
    expect(press(handler, '?', document.createElement('input'))).toBe(false);
    expect(press(handler, 'x')).toBe(false);
    expect(actions.help).toHaveBeenCalledOnce();
    expect(actions.search).toHaveBeenCalledOnce();
  });
});

it('remembers the CRT switch', () => {
  const root = document.createElement('html');
  new Crt(localStorage, root).toggle();
  expect(root.dataset.crt).toBe('off');
  expect(new Crt(localStorage, root).on).toBe(false);
});

describe('toasts', () => {
  it('keeps errors, forgets the rest, and never shows more than five', () => {
    vi.useFakeTimers();
    const toasts = new Toasts();
    toasts.show('error', 'stays');
    toasts.show('info', 'goes');
    vi.advanceTimersByTime(60_000);
    expect(toasts.items.map((toast) => toast.text)).toEqual(['stays']);
    for (let i = 0; i < 9; i++) toasts.show('error', String(i));
    expect(toasts.items.map((toast) => toast.text)).toEqual(['4', '5', '6', '7', '8']);
    vi.useRealTimers();
  });

  it('come from runs that people started, and from questions', () => {
    const result = { type: 'workflow_result' as const, execution_id: 'x', workflow: 'w', success: false, message: 'w failed: no', is_automated: false };
    expect(outcomeToast(result)).toMatchObject({ kind: 'error', text: 'w failed: no' });
    expect(outcomeToast({ ...result, is_automated: true })).toBeNull();
    expect(outcomeToast({ type: 'execution_prompt', execution_id: 'x', workflow: null, message: 'Go?', options: [] })).toMatchObject({ kind: 'warning' });
  });
});

describe('paged lists', () => {
  const row = (id: string, n = 0) => ({ id, n });

  it('loads page after page without doubles, and takes live rows', async () => {
    const loader = vi.fn(async (cursor: string | undefined) => (cursor ? { items: [row('b'), row('c')], next: null } : { items: [row('a'), row('b')], next: 'b' }));
    const pages = new Pages(loader);
    await pages.reload();
    await pages.more();
    expect(pages.items?.map((r) => r.id)).toEqual(['a', 'b', 'c']);
    expect(pages.next).toBeNull();
    pages.put(row('b', 2), true);
    pages.put(row('z'), true);
    pages.put(row('y'), false);
    pages.put(row('a'), false);
    expect(pages.items).toEqual([row('z'), row('b', 2), row('c')]);
  });

  it('keeps what it has when a reload fails, and says so', async () => {
    let fail = false;
    const pages = new Pages(async () => {
      if (fail) throw new Error('gone');
      return { items: [row('a')], next: null };
    });
    await pages.reload();
    fail = true;
    await pages.reload();
    expect(pages.error).toBe('gone');
    expect(pages.items).toHaveLength(1);
  });

  it('lets a newer load win', async () => {
    const answers: ((page: { items: { id: string; n: number }[]; next: null }) => void)[] = [];
    const pages = new Pages<{ id: string; n: number }>(() => new Promise((resolve) => answers.push(resolve)));
    const old = pages.reload();
    const fresh = pages.reset();
    answers[1]!({ items: [row('new')], next: null });
    answers[0]!({ items: [row('old')], next: null });
    await Promise.all([old, fresh]);
    expect(pages.items?.map((r) => r.id)).toEqual(['new']);
  });
});
