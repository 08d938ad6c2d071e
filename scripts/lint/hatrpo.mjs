// The lint rules of this repository, as a plugin.
import { exactMath } from './determinism.mjs'
import { onePrivacy } from './privacy.mjs'

export default {
  meta: { name: 'hatrpo' },
  rules: { 'exact-math': exactMath, 'one-privacy': onePrivacy },
}
