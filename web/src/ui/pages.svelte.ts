// A keyset-paged list as state: loading, failed, or rows with "more"; a newer load always wins over an older one.
import { isAbort, problemText } from '../api/client';
import type { Page } from '../api/generated';

export type Loader<T> = (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>;

export class Pages<T extends { id: string }> {
  /** null until the first page has come. */
  items = $state.raw<T[] | null>(null);
  next = $state.raw<string | null>(null);
  error = $state<string | null>(null);
  loading = $state(false);
  private abort: AbortController | null = null;

  constructor(private readonly loader: Loader<T>) {}

  /** Reads the first page anew; rows that are shown stay until it has come. */
  reload(): Promise<void> {
    return this.load(undefined);
  }

  more(): Promise<void> {
    return this.next === null || this.loading ? Promise.resolve() : this.load(this.next);
  }

  /** Forgets everything, for another filter. */
  reset(): Promise<void> {
    this.items = null;
    this.next = null;
    return this.load(undefined);
  }

  stop(): void {
    this.abort?.abort();
  }

  /** Puts a newer version of a row in its place; one that is new comes first when `keep` says that it belongs here. */
  put(item: T, keep: boolean): void {
    if (this.items === null) return;
    const known = this.items.some((row) => row.id === item.id);
    if (known) this.items = keep ? this.items.map((row) => (row.id === item.id ? item : row)) : this.items.filter((row) => row.id !== item.id);
    else if (keep) this.items = [item, ...this.items];
  }

  private async load(cursor: string | undefined): Promise<void> {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    this.loading = true;
    this.error = null;
    try {
      const page = await this.loader(cursor, abort.signal);
      if (abort.signal.aborted) return;
      const before = cursor === undefined ? [] : (this.items ?? []);
      const known = new Set(before.map((row) => row.id));
      this.items = [...before, ...page.items.filter((row) => !known.has(row.id))];
      this.next = page.next;
    } catch (error) {
      if (abort.signal.aborted || isAbort(error)) return;
      this.error = problemText(error);
    } finally {
      if (this.abort === abort) this.loading = false;
    }
  }
}
