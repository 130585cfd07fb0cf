/** What can be saved of a run whose run.json is damaged: each value that still fits, and defaults for the rest. */
import * as v from 'valibot';
import { UserError } from '../../schema/errors.js';
import { run as runSchema, type Run } from '../../schema/runs.js';
import { jobSettings, type JobSettings } from '../../schema/settings.js';

/** Stands for a path that is lost. */
const LOST = 'unknown';

/**
 * @param id the folder's name
 * @param text of run.json, if it could be read
 * @param changed when the file was written, for runs whose own date is lost
 */
export function savedFrom(id: string, text: string, changed: Date): Run {
  const given = objectIn(text);
  const own = fitting(runSchema.entries, given);
  const [, stamp, name] = /^(\d{8}-\d{6})-(.*)$/.exec(id) ?? [];
  const isOther = given.version !== undefined && given.version !== 1;
  return {
    modelName: name ?? id,
    datasetName: LOST,
    created: dateOf(stamp) ?? changed.toISOString(),
    ...own,
    version: 1,
    id,
    status: 'damaged',
    process: undefined,
    settings: settingsIn(given.settings),
    error: isOther
      ? 'Its run.json is of another version of Hopscotch; go on with that version.'
      : 'Its run.json is damaged; what it measured can still be looked at.',
  };
}

/** @throws UserError where work on a run needs more than what could be saved */
export function requireWhole(run: Run): void {
  if (run.status !== 'damaged') return;
  throw new UserError(
    `The run ${run.id} cannot be worked with: ${run.error!.replace(/^Its/, 'its').split(';')[0]}; start a new run, or put a copy of the file back.`,
  );
}

function settingsIn(given: unknown): JobSettings {
  const known = fitting(jobSettings.entries, isObject(given) ? given : {});
  return v.parse(jobSettings, { model: LOST, dataset: LOST, ...known });
}

/** The values that fit the schemas of their names. */
function fitting(
  entries: Readonly<Record<string, v.GenericSchema>>,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(entries).flatMap(([name, schema]) => {
      if (!Object.hasOwn(given, name) || given[name] === undefined) return [];
      const parsed = v.safeParse(schema, given[name]);
      return parsed.success ? [[name, given[name]]] : [];
    }),
  );
}

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** '20260102-030405' as ISO 8601; undefined if it is no date. */
function dateOf(stamp: string | undefined): string | undefined {
  const date = new Date(
    (stamp ?? '').replace(/^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3T$4:$5:$6Z'),
  );
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
