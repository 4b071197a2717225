// The live connection: subscriptions, positions, reconnection and catch-up without gaps or doubles.
import { describe, expect, it } from 'vitest';
import { entry, FakeSocket } from '../test-kit';
import { LiveSocket, type LiveMessage, type SocketState } from './socket';

function setup(random = 1) {
  const sockets: FakeSocket[] = [];
  const states: SocketState[] = [];
  const timers: { run: () => void; ms: number }[] = [];
  const live = new LiveSocket({
    connect: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    onState: (state) => states.push(state),
    now: () => 1000,
    random: () => random,
    setTimer: (run, ms) => timers.push({ run, ms }),
    clearTimer: () => timers.pop(),
  });
  return { live, sockets, states, timers, last: () => sockets.at(-1)!, reconnect: () => timers.shift()!.run() };
}

const event = (seq: number) => ({ type: 'execution_event', execution_id: 'x', entry: entry(seq, { action: 'server_restart_recovery' }) });
const output = (cursor: number) => ({ type: 'output', execution_id: 'x', cursor, data: String(cursor) });
const settled = () => Promise.resolve();

describe('LiveSocket', () => {
  it('subscribes to everything at once, with positions, when it opens and when topics change', async () => {
    const { live, last } = setup();
    live.subscribe('executions', () => {});
    live.start();
    last().opens();
    expect(last().sent).toEqual([{ type: 'subscribe', topics: ['executions'], after: {} }]);
    const leave = live.subscribe('execution:x', () => {}, 7);
    live.subscribe('output:x', () => {}, 0);
    await settled();
    expect(last().sent.slice(1)).toEqual([{ type: 'subscribe', topics: ['executions', 'execution:x', 'output:x'], after: { 'execution:x': 7, 'output:x': 0 } }]);
    leave();
    await settled();
    expect(last().sent.at(-1)).toEqual({ type: 'subscribe', topics: ['executions', 'output:x'], after: { 'output:x': 0 } });
  });

  it('shares a topic and leaves it with its last subscriber', async () => {
    const { live, last } = setup();
    live.start();
    last().opens();
    const heard: string[] = [];
    const leaveA = live.subscribe('executions', () => heard.push('a'));
    const leaveB = live.subscribe('executions', () => heard.push('b'));
    last().says({ type: 'execution_update', execution: { id: 'x' } });
    leaveA();
    last().says({ type: 'execution_update', execution: { id: 'x' } });
    leaveB();
    await settled();
    expect(heard).toEqual(['a', 'b', 'b']);
    expect(last().sent.at(-1)).toMatchObject({ topics: [] });
  });

  it('catches up after a cut from the last position, and drops what it has seen', () => {
    const { live, last, states, reconnect } = setup();
    const seen: number[] = [];
    const cursors: number[] = [];
    live.subscribe('execution:x', (m) => m.type === 'execution_event' && seen.push(m.entry.seq), 2);
    live.subscribe('output:x', (m) => m.type === 'output' && cursors.push(m.cursor), 0);
    live.start();
    last().opens();
    for (const m of [event(2), event(3), event(4), output(1), output(2)]) last().says(m);
    last().breaks();
    expect(states.at(-1)).toMatchObject({ kind: 'waiting' });
    reconnect();
    last().opens();
    expect(last().sent).toEqual([{ type: 'subscribe', topics: ['execution:x', 'output:x'], after: { 'execution:x': 4, 'output:x': 2 } }]);
    for (const m of [event(4), event(5), output(2), output(3), event(5)]) last().says(m);
    expect(seen).toEqual([3, 4, 5]);
    expect(cursors).toEqual([1, 2, 3]);
  });

  it('asks pages without positions to read again on each connection, others after a cut', () => {
    const { live, last, reconnect } = setup();
    const heard: LiveMessage['type'][] = [];
    const known: LiveMessage['type'][] = [];
    live.subscribe('workers', (m) => heard.push(m.type));
    live.subscribe('execution:x', (m) => known.push(m.type), 7);
    live.start();
    last().opens();
    expect([heard, known]).toEqual([['resync'], []]);
    last().breaks();
    reconnect();
    last().opens();
    expect([heard, known]).toEqual([['resync', 'resync'], ['resync']]);
    live.subscribe('executions', (m) => heard.push(m.type));
    expect(heard).toHaveLength(2);
  });

  it('backs off, doubling up to a ceiling, with jitter, and starts over after a success', () => {
    const { live, last, timers, reconnect } = setup(0);
    live.start();
    const delays: number[] = [];
    for (let i = 0; i < 8; i++) {
      last().breaks();
      delays.push(timers[0]!.ms);
      reconnect();
    }
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 7500, 7500, 7500]);
    last().opens();
    last().breaks();
    expect(timers[0]!.ms).toBe(250);
  });

  it('reads again what it lagged behind on, from the last position', () => {
    const { live, last } = setup();
    const heard: string[] = [];
    live.subscribe('executions', (m) => heard.push(m.type));
    live.subscribe('output:x', (m) => heard.push(m.type), 0);
    live.start();
    last().opens();
    last().says(output(5));
    last().says({ type: 'lagged', topics: ['executions', 'output:x'] });
    expect(last().sent.at(-1)).toMatchObject({ after: { 'output:x': 5 } });
    expect(heard).toEqual(['resync', 'output', 'resync', 'resync']);
  });

  it('hears nothing more from a connection it has given up, and stays stopped', () => {
    const { live, last, timers, states } = setup();
    const heard: string[] = [];
    live.subscribe('workers', (m) => heard.push(m.type));
    live.start();
    const old = last();
    old.opens();
    live.stop();
    old.says({ type: 'worker_update', worker: {} });
    old.breaks();
    expect(old.closed).toBe(true);
    expect(heard).toEqual(['resync']);
    expect(timers).toEqual([]);
    expect(states.at(-1)).toEqual({ kind: 'stopped' });
  });

  it('tries at once when told to', () => {
    const { live, last, sockets } = setup();
    live.start();
    last().breaks();
    live.retryNow();
    expect(sockets).toHaveLength(2);
  });
});
