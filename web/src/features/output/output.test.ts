// Output: one text from the chunks of several commands, and the terminal's elements under a strict policy.
import { describe, expect, it } from 'vitest';
import { useCspElements } from './csp-elements';
import { Reader, Transcript, type Chunk } from './transcript.svelte';

const chunk = (command_id: string, data: string, over: Partial<Chunk> = {}): Chunk => ({ command_id, step_id: 'check', worker: `web-${command_id}`, attempt: 1, stream: 'stdout', data, ...over });
const plain = (text: string) => text.replaceAll(/\u001b\[[\d;]*m/g, '');

describe('Reader', () => {
  it('says on a line of its own where output is missing', () => {
    const reader = new Reader({ command: '1', stream: null });
    const text = [chunk('1', 'cut o'), chunk('1', '', { gap_bytes: 1000 }), chunk('1', 'on\n')].map((c) => reader.read(c)).join('');
    expect(plain(text)).toBe('cut o\n[PULSE: 1000 bytes of output are not kept here]\non\n');
  });

  it('names the command wherever another one goes on, on a line of its own', () => {
    const reader = new Reader({ command: null, stream: null });
    const text = [chunk('1', 'a\n'), chunk('1', 'b'), chunk('2', 'c\n', { attempt: 2 }), chunk('1', 'd\n')].map((c) => reader.read(c)).join('');
    expect(plain(text)).toBe('── check @ web-1 ──\na\nb\n── check @ web-2 · attempt 2 ──\nc\n── check @ web-1 ──\nd\n');
  });

  it('shows one command or stream without names', () => {
    const chunks = [chunk('1', 'a\n'), chunk('2', 'b\n'), chunk('1', 'e\n', { stream: 'stderr' })];
    const one = new Reader({ command: '1', stream: null });
    expect(chunks.map((c) => one.read(c)).join('')).toBe('a\ne\n');
    const errors = new Reader({ command: '1', stream: 'stderr' });
    expect(chunks.map((c) => errors.read(c)).join('')).toBe('e\n');
  });

  it('lets no worker forge a header or a colour by its name', () => {
    const text = new Reader({ command: null, stream: null }).read(chunk('1', 'x', { worker: 'a\u001b[31m\nb' }));
    expect(text.split('\n')[0]).toBe('\u001b[0;1;36m── check @ a b ──\u001b[0m');
  });
});

describe('Transcript', () => {
  it('lists sources in order and gives what is new', () => {
    const transcript = new Transcript();
    for (const c of [chunk('1', 'a'), chunk('2', 'b'), chunk('1', 'c')]) transcript.add(c);
    expect(transcript.sources.map((s) => s.command_id)).toEqual(['1', '2']);
    expect(transcript.from(1).map((c) => c.data)).toEqual(['b', 'c']);
  });

  it('drops the oldest beyond its limit and still counts right', () => {
    const transcript = new Transcript();
    const big = 'x'.repeat(12 * 1024 * 1024);
    for (const id of ['1', '2', '3', '4']) transcript.add(chunk(id, big));
    expect(transcript.from(0).map((c) => c.command_id)).toEqual(['3', '4']);
    expect(transcript.from(3).map((c) => c.command_id)).toEqual(['4']);
  });
});

describe('elements under the policy', () => {
  it('are constructed sheets in place of style elements, until the way back is taken', () => {
    const before = document.adoptedStyleSheets.length;
    const restore = useCspElements(document);
    const style = document.createElement('style');
    style.textContent = '.a { color: red; }';
    expect(style.tagName).toBe('TEMPLATE');
    expect(document.adoptedStyleSheets).toHaveLength(before + 1);
    expect(document.adoptedStyleSheets.at(-1)!.cssRules).toHaveLength(1);
    style.remove();
    expect(document.adoptedStyleSheets).toHaveLength(before);
    restore();
    expect(Object.hasOwn(document, 'createElement')).toBe(false);
    expect(document.createElement('style').tagName).toBe('STYLE');
  });

  it('leave what a later terminal installed', () => {
    const first = useCspElements(document);
    const second = useCspElements(document);
    first();
    expect(document.createElement('style').tagName).toBe('TEMPLATE');
    second();
    expect(document.createElement('style').tagName).toBe('STYLE');
  });
});
