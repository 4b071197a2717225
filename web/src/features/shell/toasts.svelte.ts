// Toasts: what an action came to, in the server's own words. Errors stay until dismissed; there are never more than five, and none twice.

export type ToastKind = 'info' | 'success' | 'warning' | 'error';

export interface Toast {
  id: number;
  kind: ToastKind;
  text: string;
  /** Where to read more. */
  href?: string;
}

const MAX_TOASTS = 5;
const SHOWN_MS = { info: 4000, success: 4000, warning: 12_000 };

export class Toasts {
  items = $state<Toast[]>([]);
  private nextId = 1;

  show(kind: ToastKind, text: string, href?: string): void {
    const toast: Toast = { id: this.nextId++, kind, text, href };
    const others = this.items.filter((item) => item.kind !== kind || item.text !== text || item.href !== href);
    this.items = [...others.slice(1 - MAX_TOASTS), toast];
    if (kind !== 'error') setTimeout(() => this.dismiss(toast.id), SHOWN_MS[kind]);
  }

  dismiss(id: number): void {
    this.items = this.items.filter((toast) => toast.id !== id);
  }

  /** Drops the toasts that point to a page, once it is open. */
  reached(path: string): void {
    this.items = this.items.filter((toast) => toast.href !== path);
  }
}
