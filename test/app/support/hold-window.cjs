/**
 * Loaded into Electron before the app: the window waits until Playwright is attached and calls the function that its
 * own loader would bring. A window that opens meanwhile makes it wait for ever now and then.
 */
const { app } = require('electron');

const whenReady = app.whenReady.bind(app);
const isAttached = new Promise((resolve) => {
  // oxlint-disable-next-line no-underscore-dangle -- the name is Playwright's
  globalThis.__playwright_run = resolve;
});
app.whenReady = () => whenReady().then(() => isAttached);
