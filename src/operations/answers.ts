import { ProblemSchema } from '../ingress/answers.js'

/** What every route may answer where it can't do what it is asked for. */
export const answerProblems = { '4xx': ProblemSchema, '5xx': ProblemSchema }
