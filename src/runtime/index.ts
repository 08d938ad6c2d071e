/**
 * Runtime of exported policies: web-standard code without imports.
 * @module hatrpo/runtime
 */
export {
  loadBundle,
  parseBundleInfo,
  type Bundle,
  type BundleAgent,
  type BundleFetcher,
  type BundleFile,
  type BundleInfo,
} from './bundle.js'
export { PolicyError } from './error.js'
export type {
  ActionInfo,
  BoxAction,
  ControlledAgent,
  DiscreteAction,
  Json,
  MultiDiscreteAction,
  ObservationInfo,
  ObservationInput,
  PolicyAgent,
  PolicyInfo,
  StoredAction,
  StoredBox,
  StoredPolicyInfo,
} from './info.js'
export { createPolicy, loadPolicy, type Policy, type PolicySource } from './policy.js'
