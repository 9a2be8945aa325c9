import { addStatusRoutes, type StatusRouteOptions } from './api-status.js'
import type { AdminApp } from './route-types.js'

export interface OperatorRouteOptions extends StatusRouteOptions {}

/** Adds every route of the operator's listener but the page's. */
export function addOperatorRoutes (app: AdminApp, options: OperatorRouteOptions): void {
  addStatusRoutes(app, options)
}
