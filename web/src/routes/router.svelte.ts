// A small router on the history API: the current location as state, route patterns, and plain links turned into navigation.

export type RouteName = 'home' | 'workflows' | 'executions' | 'execution' | 'workers' | 'sign-in' | 'not-found';

export interface Match {
  name: RouteName;
  params: Record<string, string>;
}

const ROUTES: [pattern: string, name: RouteName][] = [
  ['/', 'home'],
  ['/workflows', 'workflows'],
  ['/executions', 'executions'],
  ['/executions/:id', 'execution'],
  ['/workers', 'workers'],
  ['/sign-in', 'sign-in'],
];

export function matchRoute(path: string): Match {
  const parts = path.split('/').filter(Boolean);
  for (const [pattern, name] of ROUTES) {
    const wanted = pattern.split('/').filter(Boolean);
    if (wanted.length !== parts.length) continue;
    const params: Record<string, string> = {};
    const fits = wanted.every((piece, index) => {
      const part = parts[index] ?? '';
      if (!piece.startsWith(':')) return piece === part;
      try {
        params[piece.slice(1)] = decodeURIComponent(part);
        return true;
      } catch {
        return false;
      }
    });
    if (fits) return { name, params };
  }
  return { name: 'not-found', params: {} };
}

/** A path of this application that may follow a sign-in; anything else (another origin, `//host`) becomes `/`. */
export function safeNext(next: string | null, origin: string): string {
  if (!next) return '/';
  try {
    const url = new URL(next, origin);
    return url.origin === origin && url.pathname !== '/sign-in' ? url.pathname + url.search : '/';
  } catch {
    return '/';
  }
}

export class Router {
  path = $state('/');
  search = $state('');
  readonly match = $derived(matchRoute(this.path));
  readonly query = $derived(new URLSearchParams(this.search));

  constructor(private readonly window: Window) {
    this.read();
  }

  /** Follows back, forward and clicks on plain links until the returned function is called. */
  listen(): () => void {
    const onPop = () => this.read();
    const onClick = (event: MouseEvent) => this.click(event);
    this.window.addEventListener('popstate', onPop);
    this.window.document.addEventListener('click', onClick);
    return () => {
      this.window.removeEventListener('popstate', onPop);
      this.window.document.removeEventListener('click', onClick);
    };
  }

  go(to: string, options: { replace?: boolean } = {}): void {
    if (options.replace) this.window.history.replaceState(null, '', to);
    else this.window.history.pushState(null, '', to);
    this.read();
    if (!options.replace) this.window.scrollTo(0, 0);
  }

  /** Changes one part of the query in place, so that filters can be linked to and survive a reload. */
  setQuery(changes: Record<string, string>): void {
    const query = new URLSearchParams(this.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value) query.set(name, value);
      else query.delete(name);
    }
    const text = query.toString();
    this.go(text ? `${this.path}?${text}` : this.path, { replace: true });
  }

  private read(): void {
    this.path = this.window.location.pathname;
    this.search = this.window.location.search;
  }

  private click(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.('a');
    if (!link || link.target || link.hasAttribute('download')) return;
    const url = new URL(link.href, this.window.location.href);
    if (url.origin !== this.window.location.origin || url.pathname.startsWith('/api/') || url.hash) return;
    event.preventDefault();
    this.go(url.pathname + url.search);
  }
}
