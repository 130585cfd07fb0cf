/** The six steps of the app in their order, and what people call them: the contract, the menu and the page name them from here. */

export const STEPS = ['model', 'task', 'budget', 'calibrate', 'compare', 'export'] as const;
export type OrderedStep = (typeof STEPS)[number];

/** All that the window can show: the steps, and what stands beside them. */
export const PLACES = [...STEPS, 'runs', 'settings'] as const;
export type Step = (typeof PLACES)[number];

export const STEP_NAMES: Readonly<Record<Step, string>> = {
  model: 'Model',
  task: 'Task',
  budget: 'Budget',
  calibrate: 'Calibrate',
  compare: 'Compare',
  export: 'Export',
  runs: 'Runs',
  settings: 'Settings',
};

export function isStep(name: string): name is Step {
  return (PLACES as readonly string[]).includes(name);
}
