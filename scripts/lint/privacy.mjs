// The lint rule behind "one style of privacy": members are #private, never `private` or `protected`.

export const onePrivacy = {
  meta: {
    type: 'problem',
    docs: { description: 'allow no accessibility modifiers' },
    schema: [],
    messages: {
      modifier:
        'Private members are #private; a constructor that is not to be called says what to call instead.',
    },
  },
  create(context) {
    const check = (node) => {
      if (node.accessibility) context.report({ node, messageId: 'modifier' })
    }
    return { PropertyDefinition: check, MethodDefinition: check, AccessorProperty: check }
  },
}
