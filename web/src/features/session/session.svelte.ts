// Who is signed in. `unknown` until the server has been asked.
import type { Me } from '../../api/generated';

export type SessionState = { kind: 'unknown' } | { kind: 'out' } | { kind: 'in'; me: Me } | { kind: 'unreachable'; detail: string };

export class Session {
  state = $state.raw<SessionState>({ kind: 'unknown' });

  get me(): Me | null {
    return this.state.kind === 'in' ? this.state.me : null;
  }

  /** Whether the person may start, answer and abort; the server decides, this only hides what it would refuse. */
  get operates(): boolean {
    return this.me !== null && this.me.role !== 'viewer';
  }
}
