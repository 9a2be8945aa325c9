import { writeFileSync } from 'node:fs'
import { envExample } from '../dist/config/describe-settings.js'

// Writes .env.example from the settings' own definition. To be run by npm, which builds before.

writeFileSync('.env.example', envExample())
console.log('.env.example is written')
