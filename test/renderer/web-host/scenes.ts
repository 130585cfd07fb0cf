/** The situations in which the stand-in can put the page: `?scene=running&speed=20`. */
export const SCENES = [
  /** A first start: the sample chosen, nothing run. */
  'first-start',
  /** Nothing chosen at all. */
  'empty',
  /** A model that cannot be read. */
  'broken-model',
  /** A dataset whose columns cannot be guessed. */
  'columns-needed',
  /** A dataset of questions with choices. */
  'multiple-choice',
  /** A job in its selection. */
  'selecting',
  /** A job in its final training. */
  'training',
  'stopped',
  /** Stopped before the first point of the curve was measured. */
  'stopped-early',
  'crashed',
  /** What was asked for cannot be had. */
  'impossible',
  /** A finished run, with others in the list. */
  'finished',
  /** A finished run of whose curve few points are trained. */
  'few-points',
  /** Two hundred runs in the list. */
  'many-runs',
  /** A model of 100 layers with long names everywhere. */
  'hundred-layers',
  /** What does not fit into memory. */
  'too-large',
] as const;

export type Scene = (typeof SCENES)[number];

export interface SceneOptions {
  scene: Scene;
  /** How much faster than recorded a job is played; 0: it stands still. */
  speed: number;
}

export function sceneFrom(search: string): SceneOptions {
  const parameters = new URLSearchParams(search);
  const wanted = parameters.get('scene') ?? 'first-start';
  const scene = SCENES.find((name) => name === wanted);
  if (!scene) throw new Error(`There is no scene '${wanted}'; there are ${SCENES.join(', ')}.`);
  return { scene, speed: Number(parameters.get('speed') ?? 20) };
}
