/** Entry of the bundle: reads the data of the page and shows the page that it names. */
import { render } from 'preact'
import type { PageData } from '../../lib/pages/view.js'
import { App } from './app.js'
import './style.css'

const data = JSON.parse(document.getElementById('data')?.textContent ?? 'null') as PageData
render(<App data={data} />, document.getElementById('page') as HTMLElement)
