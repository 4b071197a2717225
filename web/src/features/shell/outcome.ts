// Which live messages are worth a toast anywhere in the application: a question, and the end of a run that a person started.
import type { LiveMessage } from '../../api/socket';
import type { ToastKind } from './toasts.svelte';

export interface OutcomeToast {
  kind: ToastKind;
  text: string;
  executionId: string;
}

export function outcomeToast(message: LiveMessage): OutcomeToast | null {
  if (message.type === 'execution_prompt') {
    return { kind: 'warning', text: `${message.workflow ?? 'A command'} waits for an answer: ${message.message}`, executionId: message.execution_id };
  }
  if (message.type === 'workflow_result' && !message.is_automated) {
    return { kind: message.success ? 'success' : 'error', text: message.message, executionId: message.execution_id };
  }
  return null;
}
