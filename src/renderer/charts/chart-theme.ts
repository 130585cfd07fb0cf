/** The design's colours for canvases, which cannot read style sheets. */
export interface ChartTheme {
  ink: string;
  muted: string;
  line: string;
  panel: string;
  teal: string;
  /** For lines that are there, but not what is looked at. */
  tealFaint: string;
  accent: string;
  accentFill: string;
  onAccent: string;
  font: string;
}

export function readTheme(): ChartTheme {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: token('ink'),
    muted: token('muted'),
    line: token('line'),
    panel: token('panel'),
    teal: token('teal'),
    tealFaint: `${token('teal')}59`,
    accent: token('accent'),
    accentFill: token('accent-fill'),
    onAccent: token('on-accent'),
    font: `12px ${token('mono')}`,
  };
}

export function onThemeChange(listener: () => void): () => void {
  const query = matchMedia('(prefers-color-scheme: dark)');
  query.addEventListener('change', listener);
  return () => query.removeEventListener('change', listener);
}
