/** Every request of the contract and who answers it. */
import type { Handlers } from '../../shared/router.js';
import { appHandlers } from './app-requests.js';
import { comparisonHandlers } from './comparison-requests.js';
import { exportHandlers } from './export-requests.js';
import { jobHandlers } from './job-requests.js';
import { modelHandlers } from './model-requests.js';
import type { Parts } from './parts.js';
import { passOn } from './pass-on.js';
import { runHandlers } from './run-requests.js';
import { taskHandlers } from './task-requests.js';

export function requestHandlers(parts: Parts): Handlers {
  return {
    ...appHandlers(parts),
    ...modelHandlers(parts),
    ...taskHandlers(parts),
    ...jobHandlers(parts),
    ...passOn(parts.desk, 'compare.ask', 'compare.stop', 'compare.heldout', 'compare.measure'),
    ...comparisonHandlers(parts),
    ...exportHandlers(parts),
    ...runHandlers(parts),
  };
}
