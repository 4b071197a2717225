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

  /** Whether the person may answer a question: members of the groups it allows, every operator where it names none. */
  mayAnswer(allow: string[]): boolean {
    if (this.me === null) return false;
    return this.me.role === 'admin' || (allow.length === 0 ? this.operates : allow.some((group) => this.me!.groups.includes(group)));
  }

  /** The server knows the person no more. Where a proxy signs people in, only it can do so again, when the page is loaded anew. */
  ended(reload: () => void): void {
    if (this.state.kind !== 'in') return;
    if (this.state.me.by_proxy) reload();
    else this.state = { kind: 'out' };
  }
}
