// The live connection: one WebSocket, topics with positions, reconnection with back-off, catch-up without gaps or doubles.
import type { FromBrowser, ToBrowser } from './generated';

/** The part of WebSocket that is used, so that tests can hand in their own. */
export interface SocketLike {
  onopen: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
}

export type SocketState =
  | { kind: 'stopped' }
  | { kind: 'connecting'; attempt: number }
  | { kind: 'open' }
  | { kind: 'waiting'; attempt: number; retryAt: number };

/** What a subscriber hears: the server's messages, and `resync` when events may have been missed on a topic without positions: on each connection but those that it is subscribed on later. */
export type LiveMessage = ToBrowser | { type: 'resync' };
export type LiveHandler = (message: LiveMessage) => void;

export interface SocketOptions {
  connect: () => SocketLike;
  onState: (state: SocketState) => void;
  onError?: (detail: string) => void;
  now?: () => number;
  random?: () => number;
  setTimer?: (run: () => void, ms: number) => unknown;
  clearTimer?: (timer: unknown) => void;
}

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;

interface Topic {
  handlers: Set<LiveHandler>;
  /** The last position seen; undefined for topics without positions. */
  after: number | undefined;
}

export class LiveSocket {
  private socket: SocketLike | null = null;
  private timer: unknown = null;
  private attempt = 0;
  private changed = false;
  private state: SocketState = { kind: 'stopped' };
  private readonly topics = new Map<string, Topic>();
  private readonly now: () => number;
  private readonly random: () => number;
  private readonly setTimer: (run: () => void, ms: number) => unknown;
  private readonly clearTimer: (timer: unknown) => void;

  constructor(private readonly options: SocketOptions) {
    this.now = options.now ?? Date.now;
    this.random = options.random ?? Math.random;
    this.setTimer = options.setTimer ?? ((run, ms) => setTimeout(run, ms));
    this.clearTimer = options.clearTimer ?? ((timer) => clearTimeout(timer as number));
  }

  start(): void {
    if (this.state.kind === 'stopped') this.open();
  }

  stop(): void {
    this.dropTimer();
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.attempt = 0;
    this.setState({ kind: 'stopped' });
  }

  /** Skips what is left of the back-off (a button, or the browser saying it is online again). */
  retryNow(): void {
    if (this.state.kind !== 'waiting') return;
    this.dropTimer();
    this.open();
  }

  /** Hears a topic until the returned function is called. `after` is the last position already known, for topics that have positions. */
  subscribe(name: string, handler: LiveHandler, after?: number): () => void {
    let topic = this.topics.get(name);
    if (topic) {
      topic.handlers.add(handler);
    } else {
      topic = { handlers: new Set([handler]), after };
      this.topics.set(name, topic);
      this.topicsChanged();
    }
    const mine = topic;
    return () => {
      mine.handlers.delete(handler);
      if (mine.handlers.size > 0 || this.topics.get(name) !== mine) return;
      this.topics.delete(name);
      this.topicsChanged();
    };
  }

  private open(): void {
    this.setState({ kind: 'connecting', attempt: this.attempt });
    const socket = this.options.connect();
    this.socket = socket;
    let opened = false;
    socket.onopen = () => {
      if (this.socket !== socket) return;
      const again = this.attempt > 0;
      opened = true;
      this.attempt = 0;
      this.setState({ kind: 'open' });
      this.sendSubscribe();
      // What is read over HTTP may be older than the connection: without a position nothing closes that gap.
      for (const [name, topic] of this.topics) if (again || topic.after === undefined) this.tell(name, { type: 'resync' });
    };
    socket.onmessage = (event: { data: unknown }) => {
      if (this.socket === socket && typeof event.data === 'string') this.receive(event.data);
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.attempt += 1;
      // Right after a cut one quick try; then doubling, with jitter so that many browsers do not come back at once.
      const ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (opened ? 0 : this.attempt - 1));
      const delay = Math.round(ceiling * (0.5 + this.random() / 2));
      this.setState({ kind: 'waiting', attempt: this.attempt, retryAt: this.now() + delay });
      this.timer = this.setTimer(() => {
        this.timer = null;
        this.open();
      }, delay);
    };
  }

  private receive(text: string): void {
    let message: ToBrowser;
    try {
      message = JSON.parse(text) as ToBrowser;
    } catch {
      this.options.onError?.('The server sent a message that is not JSON.');
      return;
    }
    switch (message.type) {
      case 'execution_event':
        if (this.advance(`execution:${message.execution_id}`, message.entry.seq)) this.tell(`execution:${message.execution_id}`, message);
        break;
      case 'execution_delivery':
        this.tell(`execution:${message.execution_id}`, message);
        break;
      case 'output':
        if (this.advance(`output:${message.execution_id}`, message.cursor)) this.tell(`output:${message.execution_id}`, message);
        break;
      case 'execution_update':
      case 'delivery_update':
      case 'command_result':
      case 'execution_prompt':
      case 'workflow_result':
        this.tell('executions', message);
        break;
      case 'worker_update':
        this.tell('workers', message);
        break;
      case 'lagged':
        // What has positions is asked for again from the last one seen; the rest is read anew by its page.
        this.sendSubscribe();
        for (const name of message.topics) this.tell(name, { type: 'resync' });
        break;
      case 'subscribed':
        for (const name of message.topics) this.tell(name, message);
        break;
      case 'error':
        this.options.onError?.(message.detail);
        break;
    }
  }

  /** Moves a topic's position; false for what was seen already. */
  private advance(name: string, position: number): boolean {
    const topic = this.topics.get(name);
    if (!topic || (topic.after !== undefined && position <= topic.after)) return false;
    topic.after = position;
    return true;
  }

  private tell(name: string, message: LiveMessage): void {
    for (const handler of [...(this.topics.get(name)?.handlers ?? [])]) handler(message);
  }

  /** Several changes at once (one page left, another entered) make one message. */
  private topicsChanged(): void {
    if (this.changed) return;
    this.changed = true;
    queueMicrotask(() => {
      if (this.changed && this.state.kind === 'open') this.sendSubscribe();
    });
  }

  /** Always names every topic: a subscription replaces the one before. */
  private sendSubscribe(): void {
    this.changed = false;
    const after: Record<string, number> = {};
    for (const [name, topic] of this.topics) {
      if (topic.after !== undefined) after[name] = topic.after;
    }
    const message: FromBrowser = { type: 'subscribe', topics: [...this.topics.keys()], after };
    this.socket?.send(JSON.stringify(message));
  }

  private setState(state: SocketState): void {
    this.state = state;
    this.options.onState(state);
  }

  private dropTimer(): void {
    if (this.timer !== null) this.clearTimer(this.timer);
    this.timer = null;
  }
}
