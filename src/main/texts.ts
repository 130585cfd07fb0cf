/** Every English text of the main process: menus, dialogs, notifications. The page has its own. */
export const TEXTS = {
  menu: {
    file: '&File',
    openModel: 'Open Model Folder…',
    openModelFile: 'Open Model File…',
    openTask: 'Open Dataset…',
    settings: 'Settings…',
    steps: '&Steps',
    slim: 'Slim',
    stop: 'Stop',
    view: '&View',
    zoomIn: 'Zoom In',
    zoomOut: 'Zoom Out',
    actualSize: 'Actual Size',
    help: '&Help',
    homepage: 'Hopscotch on the Web',
    logs: 'Show Log Files',
    runsFolder: 'Show Folder of Runs',
    about: 'About Hopscotch',
  },
  about:
    'Slims ONNX language models for your own task. The method is the paper “Hopscotch: Discovering and Skipping Redundancies in Language Models” (arXiv 2506.03303).',
  dialogs: {
    modelFolder: 'Choose a model folder',
    modelFile: 'Choose an ONNX or GGUF file',
    onnxFiles: 'ONNX and GGUF models',
    dataset: 'Choose a dataset',
    datasets: 'Datasets',
    allFiles: 'All files',
    exportFolder: 'Choose where the slimmed model goes',
    report: 'Save a report',
    reports: 'Web pages',
    settingsFolder: 'Choose a folder',
    choose: 'Choose',
  },
  closing: {
    message: 'A calibration is running.',
    detail: 'Everything found so far is kept, and you can go on with it after the next start.',
    stop: 'Stop and Quit',
    keep: 'Keep Running',
  },
  finished: {
    title: 'Hopscotch is done',
    body: (model: string, blocks: number) =>
      `${model}: ${blocks} ${blocks === 1 ? 'block' : 'blocks'} skipped. Compare the answers now.`,
  },
  failed: { title: 'The calibration failed' },
  impossible: { title: 'Not possible as asked' },
  crashed:
    'The engine stopped unexpectedly, perhaps for want of memory. Everything it had finished is kept; you can go on from there.',
} as const;
