// The lint rule behind "same seed, same bits": engines may differ in the last bits of `**` and of most of
// `Math`, so whatever training or an exported policy computes may use only the functions that IEEE 754 and
// ECMAScript define exactly. Everything else comes from the kernels.

export const EXACT = [
  'sqrt',
  'fround',
  'abs',
  'floor',
  'ceil',
  'min',
  'max',
  'imul',
  'sign',
  'trunc',
  'clz32',
]
const MATH_OBJECTS = ['Math', 'Mathf', 'NativeMath', 'NativeMathf', 'JSMath']
const GLOBAL_OBJECTS = ['globalThis', 'window', 'self', 'global']

/** The name that `a.name`, `a['name']`, `{ name }` or `{ 'name': x }` reads, or undefined when it is computed. */
function staticName(key, computed) {
  if (!computed && key.type === 'Identifier') return key.name
  if (key.type === 'Literal') return String(key.value)
  if (key.type === 'TemplateLiteral' && key.expressions.length === 0) return key.quasis[0].value.cooked
  return undefined
}

/** `x` for `x!`, `(x as T)`, `<T>x` and `x satisfies T`: the outermost expression that has the same value. */
function withoutTypes(node) {
  const wrappers = ['TSNonNullExpression', 'TSAsExpression', 'TSTypeAssertion', 'TSSatisfiesExpression']
  let outer = node
  while (wrappers.includes(outer.parent.type)) outer = outer.parent
  return outer
}

/** The names read from `value` by the expression around it; undefined when it is passed on whole. */
function namesRead(node) {
  const value = withoutTypes(node)
  const { parent } = value
  if (parent.type === 'MemberExpression' && parent.object === value) {
    return [{ node: parent, name: staticName(parent.property, parent.computed) }]
  }
  const pattern =
    parent.type === 'VariableDeclarator' && parent.init === value
      ? parent.id
      : parent.type === 'AssignmentExpression' && parent.right === value
        ? parent.left
        : undefined
  if (pattern?.type !== 'ObjectPattern') return undefined
  return pattern.properties.map((property) => ({
    node: property,
    name: property.type === 'RestElement' ? undefined : staticName(property.key, property.computed),
    property,
  }))
}

export const exactMath = {
  meta: {
    type: 'problem',
    docs: { description: 'allow only the parts of Math that every engine computes to the same bits' },
    schema: [],
    messages: {
      power: '`{{operator}}` may differ between engines: multiply, or use the kernels’ pow',
      member: `{{object}}.{{name}} may differ between engines: use the kernels’ own, or one of ${EXACT.join(', ')}`,
      whole: '{{object}} may not be passed on, renamed or indexed by a computed name: write {{object}}.name',
    },
  },
  create(context) {
    const { scopeManager } = context.sourceCode

    function checkMath(node, object) {
      const reads = namesRead(node)
      if (reads === undefined) return context.report({ node, messageId: 'whole', data: { object } })
      for (const { node: where, name } of reads) {
        if (name === undefined) context.report({ node: where, messageId: 'whole', data: { object } })
        else if (!EXACT.includes(name)) {
          context.report({ node: where, messageId: 'member', data: { object, name } })
        }
      }
    }

    /** `globalThis.Math.exp`, `const { Math: m } = globalThis`. */
    function checkGlobalObject(node) {
      for (const { node: where, name, property } of namesRead(node) ?? []) {
        if (!MATH_OBJECTS.includes(name)) continue
        if (property) context.report({ node: where, messageId: 'whole', data: { object: name } })
        else checkMath(where, name)
      }
    }

    function checkReference({ identifier, resolved, isValueReference }) {
      const isGlobal = resolved === null || resolved.defs.length === 0
      const isType = ['TSTypeQuery', 'TSQualifiedName'].includes(identifier.parent.type)
      if (!isGlobal || isType || isValueReference === false) return
      if (MATH_OBJECTS.includes(identifier.name)) checkMath(identifier, identifier.name)
      if (GLOBAL_OBJECTS.includes(identifier.name)) checkGlobalObject(identifier)
    }

    const reportPower = (node) =>
      context.report({ node, messageId: 'power', data: { operator: node.operator } })

    return {
      'BinaryExpression[operator="**"]': reportPower,
      'AssignmentExpression[operator="**="]': reportPower,
      Program() {
        for (const scope of scopeManager.scopes) scope.references.forEach(checkReference)
      },
    }
  },
}
