// Composition root: platform, screen, page.

import './platform/language';
import { mount } from 'svelte';
import './theme/base.css';
import { choosePlatform } from './platform';
import App from './shell/App.svelte';
import { Screen } from './shell/screen.svelte';

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no #app');
const screen = new Screen(await choosePlatform(window));
screen.start();
mount(App, { target, props: { screen } });
