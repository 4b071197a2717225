// The terminal widget: xterm.js set up for output of strangers. Loaded by dynamic import when output is first shown.
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { useCspElements } from './csp-elements';

export interface Screen {
  write(text: string): void;
  clear(): void;
  /** The selected text, or else all of it. */
  text(): string;
  find(text: string, backwards: boolean): boolean;
  /** Whether the newest line is in view. */
  atEnd(): boolean;
  toEnd(): void;
  dispose(): void;
}

const SCROLLBACK_LINES = 100_000;

// DEC private modes that a log must not switch: mouse reporting would end selection, the alternate screen would hide what came before.
const REFUSED_MODES = new Set([9, 47, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 1047, 1048, 1049]);

const THEME = {
  background: '#0a0a0a', foreground: '#00ff41', cursor: '#0a0a0a', selectionBackground: '#00ff41', selectionForeground: '#0a0a0a',
  black: '#2a2a2a', red: '#ff4444', green: '#00cc33', yellow: '#ffb000', blue: '#6f9fff', magenta: '#ff6fff', cyan: '#00cccc', white: '#cccccc',
  brightBlack: '#8a8a8a', brightRed: '#ff8080', brightGreen: '#66ff8a', brightYellow: '#ffd060', brightBlue: '#9fc0ff', brightMagenta: '#ffa0ff',
  brightCyan: '#00ffff', brightWhite: '#ffffff',
};

export function openTerminal(parent: HTMLElement, onScroll: () => void): Screen {
  const terminal = new Terminal({
    convertEol: true,
    disableStdin: true,
    scrollback: SCROLLBACK_LINES,
    fontFamily: "'Courier New', Consolas, Monaco, Menlo, monospace",
    fontSize: 13,
    minimumContrastRatio: 4.5,
    cursorInactiveStyle: 'none',
    theme: THEME,
  });
  refuseHostileSequences(terminal);
  const fit = new FitAddon();
  const search = new SearchAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  const restoreElements = useCspElements(document);
  terminal.open(parent);
  terminal.textarea?.setAttribute('aria-label', 'Output. Arrow and page keys scroll.');
  terminal.attachCustomKeyEventHandler((event) => scrollByKey(terminal, event));
  fit.fit();

  const resized = new ResizeObserver(() => fit.fit());
  resized.observe(parent);
  const atEnd = () => terminal.buffer.active.viewportY >= terminal.buffer.active.baseY;
  const scrolled = () => requestAnimationFrame(() => disposed || onScroll());
  let disposed = false;
  for (const name of ['wheel', 'keyup', 'pointerup', 'touchend'] as const) parent.addEventListener(name, scrolled, { passive: true });

  return {
    write: (text) => terminal.write(text),
    // Behind what is still queued for writing, or that would come after the reset.
    clear: () => terminal.write('', () => disposed || terminal.reset()),
    text() {
      if (terminal.hasSelection()) return terminal.getSelection();
      terminal.selectAll();
      const all = terminal.getSelection();
      terminal.clearSelection();
      return all.replace(/\n+$/, '\n');
    },
    find: (text, backwards) => (backwards ? search.findPrevious(text) : search.findNext(text)),
    atEnd,
    toEnd: () => terminal.scrollToBottom(),
    dispose() {
      disposed = true;
      resized.disconnect();
      for (const name of ['wheel', 'keyup', 'pointerup', 'touchend'] as const) parent.removeEventListener(name, scrolled);
      // xterm goes on with what is queued for writing and drawing, and fails at that once it is disposed: first let it finish.
      terminal.write('', () =>
        requestAnimationFrame(() => {
          terminal.dispose();
          restoreElements();
        }),
      );
    },
  };
}

/** Colours and cursor movement stay; links, resets, hidden screens and wiped history do not. Titles and replies go nowhere anyway. */
function refuseHostileSequences(terminal: Terminal): void {
  const { parser } = terminal;
  const refuse = () => true;
  parser.registerOscHandler(8, refuse);
  parser.registerOscHandler(52, refuse);
  parser.registerEscHandler({ final: 'c' }, refuse);
  parser.registerCsiHandler({ final: 'J' }, (params) => params[0] === 2 || params[0] === 3);
  for (const final of ['h', 'l']) {
    parser.registerCsiHandler({ prefix: '?', final }, (params) => params.some((mode) => typeof mode === 'number' && REFUSED_MODES.has(mode)));
  }
}

/** Scroll keys scroll; every other key is left to the page, so that Tab is never trapped. Always false: xterm itself handles none. */
function scrollByKey(terminal: Terminal, event: KeyboardEvent): boolean {
  if (event.type !== 'keydown' || event.ctrlKey || event.altKey || event.metaKey) return false;
  const moves: Record<string, () => void> = {
    ArrowUp: () => terminal.scrollLines(-1),
    ArrowDown: () => terminal.scrollLines(1),
    PageUp: () => terminal.scrollPages(-1),
    PageDown: () => terminal.scrollPages(1),
    Home: () => terminal.scrollToTop(),
    End: () => terminal.scrollToBottom(),
  };
  const move = moves[event.key];
  if (move) {
    move();
    event.preventDefault();
  }
  return false;
}
