/** Where the page begins: fonts, tokens, the session with the app's other processes, the frame. */
import '@fontsource-variable/inter/index.css';
import '@fontsource-variable/jetbrains-mono/index.css';
import 'uplot/dist/uPlot.min.css';
import './tokens.css';
import './base.css';
import { mount } from 'svelte';
import App from './app.svelte';
import { Session } from './state/session.svelte.js';

const session = new Session(window.hopscotch);
mount(App, { target: document.querySelector('#app')!, props: { session } });
void session.start();
