// Keys of the whole application: `?` help, `g` then a letter for a page, `/` search. Escape is the dialogs' own.

export interface KeyActions {
  help: () => void;
  page: (path: string) => void;
  search: () => void;
}

export const PAGES: { key: string; path: string; label: string }[] = [
  { key: 'f', path: '/workflows', label: 'Workflows' },
  { key: 'e', path: '/executions', label: 'Executions' },
  { key: 'w', path: '/workers', label: 'Workers' },
];

/** How long after `g` the letter may come. */
const CHORD_MS = 1500;

export function createKeyHandler(actions: KeyActions, now: () => number = Date.now): (event: KeyboardEvent) => void {
  let chordUntil = 0;
  return (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const inChord = now() < chordUntil;
    chordUntil = 0;
    const page = inChord ? PAGES.find((candidate) => candidate.key === event.key) : undefined;
    if (page) actions.page(page.path);
    else if (event.key === 'g') chordUntil = now() + CHORD_MS;
    else if (event.key === '?') actions.help();
    else if (event.key === '/') actions.search();
    else return;
    event.preventDefault();
  };
}

function isTyping(target: EventTarget | null): boolean {
  const element = target as Element | null;
  // In a dialog, keys belong to the dialog.
  return element?.closest?.('input, textarea, select, [contenteditable], dialog[open]') != null;
}
