/** The template daemon as a process of its own; `DaemonCalls` is what its parent may ask. */
import { serve } from './remote.ts';
import { TemplateDaemon } from './template-daemon.ts';
import type { DaemonWishes } from './template-daemon.ts';

let daemon: TemplateDaemon | undefined;

const calls = {
  /** Returns the port. */
  start: (wishes: DaemonWishes) => {
    daemon = new TemplateDaemon(wishes);
    return daemon.listen();
  },
  mine: () => daemon!.mine(),
  takeSubmitted: () => daemon!.takeSubmitted(),
};

export type DaemonCalls = typeof calls;

serve(calls);
