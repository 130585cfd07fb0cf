/** Words about the report of a run. */
export const report = {
  save: 'Save a report',
  saveBeside: 'Put a report beside it',
  hint: 'One web page with figures, curve and answers side by side, and all answers as CSV.',
  writing: 'Writing the report',
  writingHint: 'Answers that were not given yet are given first.',
  done: 'The report is written',
  reveal: 'Show in folder',
} as const;
