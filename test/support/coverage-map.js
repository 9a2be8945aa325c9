/** Whose processes are killed, or whose time counts: they measure no coverage, which makes what runs slower. The rest cover what they run. */
const without = /^test\/(bench\/bench|process\/(abuse|backlog|crash|disk)|properties\/identity)\.test\.ts$/

export default (test) => without.test(test) ? null : []
