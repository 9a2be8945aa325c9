import { Option, type Command } from 'commander'
import { maxRetries } from '../voucherify/retry-schedule.js'
import { environmentFile, examples, wholeNumber, type Runs } from './command-line.js'
import { factor, header, positiveNumber, share, span } from './send-values.js'

/** Adds the command `send`. */
export function addSendCommand (program: Command, runs: Runs): void {
  program.command('send')
    .description('send sample events to any receiver, as Voucherify does, and report how it did;\nexits 0 if all was well, 1 if anything was refused, lost or missing')
    .argument('[event types...]', 'such as customer.loyalty.tier.upgraded, or the documentation\'s name for it; others are sent too, with a body that has no schema')
    .optionsGroup('What:')
    .option('--all', 'the eight loyalty tier events, in turn')
    .option('--opaque', 'take a name as it is, even if it looks mistyped')
    .addOption(new Option('--source <kind>', 'say that events come from the project\'s webhook, or from a distribution (default: as Voucherify sends each)').choices(['webhook', 'distribution']))
    .option('--raw', 'without the envelope, each to the event\'s own URL')
    .option('--invalid', 'events that cannot be understood')
    .option('--body <file>', 'a body of your own, sent as compact JSON if it is JSON')
    .option('--body-as-is', 'send the bytes of --body unchanged')
    .optionsGroup('Where to, and how it is signed:')
    .option('--url <url>', 'where to; without a path the right one is appended (default: the service that HOST and PORT configure)')
    .option('--secret <secret>', 'key that signs the events (default: the first of VOUCHERIFY_WEBHOOK_SECRETS); every user of this machine can see it here')
    .option('--secret-file <file>', 'file with that key on its one line; - reads standard input')
    .option('--wrong-secret', 'sign with another key than the receiver knows')
    .option('--unsigned', 'do not sign')
    .option('--header <Name: value>', 'a header of your own; may be given several times', header)
    .optionsGroup('How many, how fast:')
    .option('--count <number>', 'how many events (default: one of each type)', wholeNumber(1, 10_000_000))
    .option('--rate <number>', 'how many a second, on schedule even if earlier ones are slow or fail', positiveNumber(100_000))
    .option('--seconds <number>', 'how many seconds to send', positiveNumber(31 * 86_400))
    .option('--concurrency <number>', 'the most requests at once (default: 10; with --rate as many as the schedule may need)', wholeNumber(1, 10_000))
    .optionsGroup('How faithful:')
    .option('--timeout-ms <milliseconds>', 'how long to wait for an answer; the default is Voucherify\'s own', wholeNumber(1, 600_000), 10_000)
    .option('--retries <number>', `try again what fails, up to ${maxRetries} times: after 1, 2, 4 … minutes and at last 24 hours (default: 0; with --clock ${maxRetries})`, wholeNumber(0, maxRetries))
    .option('--clock <factor>', 'run the clock of the retries this many times faster: with 1000x the 24 hours are 86 seconds', factor)
    .option('--compress-timeout', 'apply --clock to the time for an answer too')
    .option('--duplicates <share>', 'send a share, such as 5%, once more after it was accepted', share)
    .option('--overlaps <share>', 'send a share, such as 5%, twice at once, as when a retry overtakes a slow answer', share)
    .optionsGroup('Verification and report:')
    .option('--verify <file or url>', 'look for every acknowledged event in the file forwarder\'s file, or at the operator\'s API')
    .option('--verify-within <span>', 'how long they may take to arrive, such as 30s (default: 30s)', span)
    .option('--verify-token <token>', 'the operator\'s API token (default: ADMIN_TOKEN, or the first of ADMIN_TOKENS, for this machine and ADMIN_HOST only); every user of this machine can see it here')
    .option('--verify-token-file <file>', 'file with that token on its one line; - reads standard input')
    .option('--json', 'show the report as one JSON object')
    .optionsGroup('Options:')
    .option(...environmentFile)
    .addHelpText('after', examples(
      'tierhook send customer.loyalty.tier.upgraded',
      'tierhook send EVENTS.CUSTOMER.LOYALTY.TIER.LEFT --raw',
      'tierhook send redemption.succeeded --url https://hooks.example.com --secret-file other-secret',
      'tierhook send --all --rate 500 --seconds 10 --duplicates 5% --overlaps 1% --verify data/events.ndjson',
      'tierhook send --all --count 100 --clock 10000x       # retries and switching off, a day in 9 seconds',
      'tierhook send --body event.json --header "X-Team: loyalty" --json'
    ))
    .action(runs(async () => (await import('./send.js')).send))
}
