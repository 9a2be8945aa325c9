import { register } from 'node:module'

// The sources are compiled once and kept, where every process and every thread of the tests would otherwise load the compiler, which costs
// each of them a second. tap's own way of compiling stands aside when it is told so by a variable; below Node 22 it takes the variable
// back when it is set up, so that threads would not see it any more. It is set up once a process.
if (process.env.TAP_TYPE_STRIP_ONLY === '1') await import('../tap/during.js')
register('./hooks.js', import.meta.url)
